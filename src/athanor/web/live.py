"""What keeps a page alive: one timer for each page, which rests while nobody looks at it."""

import inspect
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from nicegui import Client, ui
from nicegui.context import context
from nicegui.events import GenericEventArguments

PERIOD_S = 1.0

Beat = Callable[[], Awaitable[None] | None]


class Pulse:
    """The page's one timer and what it calls."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._beats: list[Beat] = []
        self._timer: ui.timer | None = None

    def start(self) -> None:
        """Begin to beat. A page with a timer is sent off as it stands when its builder first waits for something."""
        if self._timer is not None or self._client.is_deleted:
            return
        with self._client.content:
            self._timer = ui.timer(PERIOD_S, self._beat)
            ui.on("athanor_seen", self._seen)  # static/shell.js tells when the tab is hidden or shown again

    @property
    def is_beating(self) -> bool:
        """Whether it was started."""
        return self._timer is not None

    def add(self, beat: Beat) -> None:
        """Call this too, about once a second."""
        self._beats.append(beat)

    async def _beat(self) -> None:
        for beat in list(self._beats):
            if not self._client.has_socket_connection:
                return
            answer = beat()
            if inspect.isawaitable(answer):
                await answer

    def _seen(self, event: GenericEventArguments) -> None:
        if self._timer is not None:
            self._timer.active = bool(event.args)


_pulses: WeakKeyDictionary[Client, Pulse] = WeakKeyDictionary()


def every_second(beat: Beat) -> None:
    """Call `beat` about once a second, from now on and for as long as somebody looks at this page.

    All that a page does by itself runs one after the other in one timer; a hidden tab, a lost connection and a page
    that was left cost nothing.
    """
    client = context.client
    if client not in _pulses:
        resting_pulse(client).start()
    _pulses[client].add(beat)


def resting_pulse(client: Client) -> Pulse:
    """The pulse of a page that is being built; what is added to it waits until it is started."""
    return _pulses.setdefault(client, Pulse(client))
