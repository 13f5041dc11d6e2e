"""The standing alarms of a viewer in order: made once for each revision, for all who see the same."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from weakref import WeakKeyDictionary

from athanor.apps.alarms.services.desk_list import Board
from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.identity.user import User

_MOST = 64


class Boards:
    """Of one server. Used from the event loop's thread only."""

    def __init__(self) -> None:
        self._boards: OrderedDict[Hashable, tuple[Sequence[StandingAlarm], Board]] = OrderedDict()

    def of(self, alarms: Alarms, viewer: User) -> Board:
        """What the viewer sees, as of now. Nothing that changed means the very same alarms, and the same board."""
        key = (viewer.tenants, viewer.shares)
        standing = alarms.standing.alarms_of(viewer)
        made_of, board = self._boards.get(key, (None, None))
        if board is None or made_of is not standing:
            board = Board(standing)
            self._boards[key] = (standing, board)
        self._boards.move_to_end(key)
        while len(self._boards) > _MOST:
            self._boards.popitem(last=False)
        return board


_boards: WeakKeyDictionary[Alarms, Boards] = WeakKeyDictionary()


def board_of(alarms: Alarms, viewer: User) -> Board:
    """The viewer's, of the server whose alarms these are."""
    return _boards.setdefault(alarms, Boards()).of(alarms, viewer)
