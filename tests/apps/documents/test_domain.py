"""Parts of files, and how sizes look."""

import pytest
from hypothesis import given
from hypothesis.strategies import integers, text

from athanor.apps.documents.domain.ranges import part_of
from athanor.apps.documents.domain.sizes import size_text


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),  # the examples of RFC 9110, 14.1.2, for 10,000 bytes
        ("bytes=0-499", (0, 500)),
        ("bytes=500-999", (500, 1000)),
        ("bytes=-500", (9500, 10000)),
        ("bytes=9500-", (9500, 10000)),
        ("bytes=9500-99999", (9500, 10000)),
        ("bytes=-99999", (0, 10000)),
        ("bytes=0-0,-1", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("lines=1-2", None),
        ("", None),
    ],
)
def test_a_part_is_what_the_header_asks_for(header: str, part: tuple[int, int] | None) -> None:
    assert part_of(header, 10_000) == part


def test_a_part_beyond_the_end_is_refused() -> None:
    for header in ("bytes=10000-", "bytes=10000-10001", "bytes=-0"):
        with pytest.raises(ValueError, match="bytes"):
            part_of(header, 10_000)


@given(text(max_size=30), integers(1, 10**12))
def test_no_header_leads_out_of_the_file(rest: str, size: int) -> None:
    try:
        part = part_of(f"bytes={rest}", size)
    except ValueError:
        return
    assert part is None or 0 <= part[0] < part[1] <= size


def test_a_size_has_the_unit_that_fits() -> None:
    assert [size_text(one) for one in (0, 999, 1500, 123_456, 2_500_000, 3_210_000_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "123 kB",
        "2.5 MB",
        "3.2 GB",
    ]
