"""Of a pre-alarm: how long until the limit is reached. It counts on while one looks."""

import math
from datetime import UTC, datetime

from athanor.apps.alarms.pages import wording
from athanor.apps.alarms.services.desk_places import Place
from athanor.apps.alarms.services.detail import Detail
from athanor.apps.alarms.services.detail_ahead import Ahead, ahead_of, foretells
from athanor.kernel.historian.port import Historian
from athanor.kernel.plant.model import TagId
from athanor.web.components import Words, region
from athanor.web.formatting import duration
from athanor.web.language import _
from athanor.web.live import every_second

_EVERY = 10  # beats of a second


class AheadCard:
    """There where the rule is about a ramp, and stands."""

    def __init__(self, historian: Historian, tag: TagId, place: Place, detail: Detail) -> None:
        self._historian, self._tag, self._place, self._detail = historian, tag, place, detail
        self._beats = 0
        if not foretells(detail):
            return
        with region("ath-card", "section", aria_label=_("Where it is heading")):
            with region("ath-card-head"):
                Words(_("Where it is heading"), "h2")
            self._body = region("ath-card-body")
        every_second(self._beat)

    async def _beat(self) -> None:
        if self._beats % _EVERY == 0:
            ahead = await ahead_of(self._historian, self._tag, self._detail, datetime.now(UTC))
            if not self._body.is_deleted:
                self._body.clear()
                with self._body:
                    Words(self._text(ahead), "p")
        self._beats += 1

    def _text(self, ahead: Ahead | None) -> str:
        if ahead is None:
            return _("Not known: too few samples came lately.")
        limit = wording.value(self._place, self._detail.limit)
        pace = wording.value(self._place, ahead.per_minute)
        if ahead.left_s == 0:
            return _("The limit {limit} is reached.").format(limit=limit)
        if math.isinf(ahead.left_s):
            return _("At {pace} a minute it does not reach the limit {limit}.").format(pace=pace, limit=limit)
        left = duration(ahead.left_s)
        return _("At {pace} a minute it reaches the limit {limit} in {time}.").format(pace=pace, limit=limit, time=left)
