"""What a server no longer needs it gives back."""

import numpy as np
import psutil

from athanor.kernel.memory import give_back_memory


def test_freed_memory_goes_back_to_the_system() -> None:
    process = psutil.Process()
    pieces = [np.ones(1000) for _ in range(50_000)]  # 400 MB in pieces too small to be mapped on their own
    kept = pieces[-1]  # at the end of the heap, so that it cannot shrink by itself
    del pieces
    before = process.memory_info().rss
    give_back_memory()
    assert process.memory_info().rss < before - 200_000_000
    assert kept.sum() == 1000
