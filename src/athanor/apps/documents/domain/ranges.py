"""Part of a file, as RFC 9110 asks for it in the header `Range`."""

import re

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None where the header asks for nothing that is answered in part.

    Several ranges at once, other units and what cannot be read are no reason to refuse: the whole file is answered.
    Raises ValueError where the part lies beyond the file.
    """
    found = _ONE_RANGE.fullmatch(header.strip().replace(" ", ""))
    if found is None or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise ValueError(header)
    return start, stop
