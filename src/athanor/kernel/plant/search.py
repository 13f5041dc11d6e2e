"""Finding a few of very many names by the words a person types."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be found. `text` holds all that it is found by, `name` what counts double, both case-folded."""

    key: str
    name: str
    text: str


def entry(key: str, names: Iterable[str], surroundings: Iterable[str]) -> Entry:
    """An entry found by its key, its own names and those of what it belongs to."""
    name = "\n".join(names).casefold()
    return Entry(key, name, "\n".join([key.casefold(), name, *(text.casefold() for text in surroundings)]))


def search(entries: Sequence[Entry], wish: str, most: int) -> tuple[list[str], int]:
    """Keys of the entries that hold every word of the wish, and how many there are in all.

    Those whose own name holds more of the words come first, else the order of the entries holds. Nothing typed finds
    nothing.
    """
    words = wish.casefold().split()
    if not words:
        return [], 0
    found = [one for one in entries if all(word in one.text for word in words)]
    ranked = sorted(found, key=lambda one: -sum(word in one.name for word in words))
    return [one.key for one in ranked[:most]], len(found)
