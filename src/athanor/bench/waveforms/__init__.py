"""`athanor bench waveforms`: NF-02, a thousand machines' vibration, noise and current; and the store beside npy files.

With ATHANOR_TEST_RECORDINGS=FOLDER encodings are compared on the recordings in that folder, too.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import uvloop

from athanor.bench.figures import Figure, Report
from athanor.bench.waveforms.delivery import deliver
from athanor.bench.waveforms.encodings import compare
from athanor.bench.waveforms.storing import store

PARTS = ("delivery", "store", "encodings")


def run(quick: bool, only: Sequence[str] = ()) -> Report:  # noqa: FBT001 as `Benchmark` calls it
    """Three minutes, or half a one when quick; nothing is left behind."""
    parts = only or PARTS
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="athanor-bench-") as name:
        folder = Path(name)
        if "delivery" in parts:
            figures += uvloop.run(deliver(folder, 5.0 if quick else 60.0, 40 if quick else 500))
        if "store" in parts:
            figures += uvloop.run(store(folder, *((200, 100, 20) if quick else (2000, 1000, 100))))
    if "encodings" in parts:
        figures += compare()
    return Report(figures)
