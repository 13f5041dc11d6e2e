"""What was, as a table turns its pages and as a file takes all of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from athanor.kernel.alarms.history import MOST, Happened, Occurred, Page, Wanted
from athanor.kernel.alarms.seeing import Placed
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.identity.user import User

Row = TypeVar("Row", bound=Placed)


@dataclass(frozen=True, slots=True)
class Piece(Generic[Row]):
    """Some rows of a file; `fraction` of the range is done with them, as far as that can be told."""

    rows: list[Row]
    fraction: float | None


class Pages(Generic[Row]):
    """Turns pages by how many rows lie before them, though the record only knows what follows a place.

    One goes forward page by page, and back to any that was seen.
    """

    def __init__(self, ask: Callable[[User, Wanted], Awaitable[Page[Row]]], viewer: User) -> None:
        self._ask, self._viewer = ask, viewer
        self._wanted = Wanted()
        self._places: dict[int, str | None] = {0: None}

    async def at(self, wanted: Wanted, offset: int) -> Page[Row]:
        """The page that begins after `offset` rows; the first where that was not come to page by page."""
        if replace(wanted, after=None) != self._wanted:
            self._wanted, self._places = replace(wanted, after=None), {0: None}
        page = await self._ask(self._viewer, replace(wanted, after=self._places.get(offset)))
        self._places[offset + len(page.rows)] = page.next
        return page


def pages_of_occurrences(alarms: Alarms, viewer: User) -> Pages[Occurred]:
    """Of what was raised, the newest first."""
    return Pages(alarms.history.occurrences, viewer)


def pages_of_events(alarms: Alarms, viewer: User) -> Pages[Happened]:
    """Of what happened, the newest first."""
    return Pages(alarms.history.events, viewer)


async def pieces(
    ask: Callable[[User, Wanted], Awaitable[Page[Row]]], viewer: User, wanted: Wanted
) -> AsyncIterator[Piece[Row]]:
    """All of it, some at a time."""
    place: str | None = None
    while True:
        page = await ask(viewer, replace(wanted, after=place, limit=MOST))
        yield Piece(list(page.rows), _fraction(wanted, page))
        place = page.next
        if place is None:
            return


def _fraction(wanted: Wanted, page: Page[Row]) -> float | None:
    if page.next is None:
        return 1.0
    if wanted.since is None or wanted.until is None or not page.rows:
        return None
    last = page.rows[-1].raised_at or wanted.since
    return min(1.0, max(0.0, (wanted.until - last) / (wanted.until - wanted.since)))
