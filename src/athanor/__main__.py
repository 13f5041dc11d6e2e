"""`python -m athanor` is the command line."""

from athanor.cli import main

main()
