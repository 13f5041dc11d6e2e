"""How much is measured: the whole, or the same on less."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """Sizes and repeats of a run."""

    tags: int
    seconds: int  # of history; at least an hour
    stream_s: int  # of which so much comes second by second, and the rest in large batches
    repeats: int  # of each question, at most
    patience_s: float  # after which a question is not repeated any more
    cold: int  # questions of each kind to a store just opened
    live_s: int
    live_tags: int  # those of the history among them
    large_tags: int
    large_days: int


FULL = Extent(
    tags=1_000,
    seconds=20_000,
    stream_s=2_000,
    repeats=200,
    patience_s=10,
    cold=3,
    live_s=60,
    live_tags=100_000,
    large_tags=1_000,
    large_days=24,
)
QUICK = Extent(
    tags=1_000,
    seconds=5_000,
    stream_s=400,
    repeats=50,
    patience_s=3,
    cold=1,
    live_s=10,
    live_tags=100_000,
    large_tags=100,
    large_days=12,
)
