"""`python -m athanor.demo`: the reference plant alone."""

from athanor.demo.plant_process import main

raise SystemExit(main())
