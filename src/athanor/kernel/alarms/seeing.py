"""Whose alarms somebody sees: their tenant's, and those of what others share with them. Park's people see all."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from athanor.kernel.identity.user import Share, User
from athanor.kernel.plant.running import RunningPlant


class Placed(Protocol):
    """An alarm or an occurrence: whose, of what, since when."""

    @property
    def tenant(self) -> str | None: ...
    @property
    def path(self) -> str: ...
    @property
    def raised_at(self) -> datetime | None: ...


class Sight:
    """What one viewer sees of alarms, as the plant is now."""

    def __init__(self, viewer: User, plant: RunningPlant) -> None:
        self._tenants, self._shares, self._plant = viewer.tenants, viewer.shares, plant

    def covers(self, alarm: Placed) -> bool:
        """Whether they see it. Of what is shared from a day on, only what was raised since."""
        if self._tenants is None or alarm.tenant in self._tenants:
            return True
        return any(self._lends(share, alarm) for share in self._shares)

    def owns(self, tenant: str | None) -> bool:
        """Whether they may act upon what is this tenant's."""
        return self._tenants is None or tenant in self._tenants

    def _lends(self, share: Share, alarm: Placed) -> bool:
        if share.tenant != alarm.tenant or not (alarm.path == share.area or alarm.path.startswith(f"{share.area}.")):
            return False
        if share.data_from is not None and alarm.raised_at is not None and alarm.raised_at < share.data_from:
            return False
        tag = self._plant.model.tags.get(alarm.path)
        return not share.kinds or (tag is not None and tag.kind in share.kinds)

    def rows(
        self,
        tenant: InstrumentedAttribute[str | None],
        path: InstrumentedAttribute[str],
        raised_at: InstrumentedAttribute[datetime],
    ) -> ColumnElement[bool]:
        """The same for a query; of shares that name kinds it finds more than `covers` does."""
        if self._tenants is None:
            return true()
        lent = [
            and_(
                tenant == share.tenant,
                is_under(path, share.area),
                true() if share.data_from is None else raised_at >= share.data_from,
            )
            for share in self._shares
        ]
        return or_(false(), tenant.in_(sorted(self._tenants)), *lent)


def is_under(path: InstrumentedAttribute[str], area: str) -> ColumnElement[bool]:
    """At a node or a tag, or below it."""
    return or_(path == area, path.startswith(f"{area}.", autoescape=True))
