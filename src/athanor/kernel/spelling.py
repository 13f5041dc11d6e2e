"""What a mistyped name probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name most like `name`; None where none is alike."""
    names = sorted(valid)
    folded = {known.casefold(): known for known in reversed(names)}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def suggestion(name: str, valid: Iterable[str]) -> str:
    """One sentence that tells how to correct `name`: the nearest valid name, or all there are."""
    names = sorted(valid)
    likely = nearest(name, names)
    if likely is not None:
        return f"Did you mean {likely!r}?"
    return f"Valid: {', '.join(names)}." if names else "None is defined."
