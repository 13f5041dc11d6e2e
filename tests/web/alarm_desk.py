"""Alarms of a site under test: raised and cleared as an app reports them, and cleared away afterwards."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import numpy as np
from sqlalchemy import insert, select

from athanor.kernel.alarms.finding import Findings, What
from athanor.kernel.alarms.lifecycle import State
from athanor.kernel.alarms.records import Change
from athanor.kernel.alarms.reporting import Kind
from athanor.kernel.alarms.rule import Category, Priority
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import AlarmRow
from athanor.kernel.historian.port import microseconds
from athanor.kernel.identity.user import User

from .site import Site
from .walk import FURNACE

TEMPERATURE = f"{FURNACE}.temperature"
ACTION = {"en": "Lower the oxygen.", "zh_CN": "降低氧量。"}
CONSEQUENCE = {"en": "The lining wears out.", "zh_CN": "炉衬损坏。"}


class Plant:
    """What happens in the plant that a desk looks at."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.alarms = cast("Alarms", site.platform.ports["alarms"])
        self._raised: dict[tuple[str, str], Kind] = {}

    def raise_(
        self,
        name: str,
        priority: Priority = Priority.HIGH,
        path: str = TEMPERATURE,
        *,
        at: datetime | None = None,
        is_safety: bool = False,
    ) -> int:
        """An alarm of this name; its id."""
        kind = Kind({"en": name}, priority, Category.PROCESS, CONSEQUENCE, ACTION, is_safety=is_safety)
        self._raised[name, path] = kind
        (change,) = self._report(name, path, kind, is_active=True, at=at)
        return change.alarm

    def clear(self, name: str, path: str = TEMPERATURE) -> None:
        """It is back to normal."""
        self._report(name, path, self._raised[name, path], is_active=False)

    def raise_many(self, name: str, number: int, priority: Priority = Priority.MEDIUM) -> list[int]:
        """One more alarm of a rule at each of so many places that an app knows; their ids."""
        first = self.raise_(name, priority)
        return self._site.wait_for(self._raise_many(first, number - 1))

    def end(self) -> None:
        """Nothing of what was raised here stands any more."""
        self._site.wait_for(self._end())

    def user(self, login: str) -> User:
        """Somebody who was admitted."""
        found = self._site.wait_for(self._user(login))
        assert found is not None
        return found

    def _report(
        self, name: str, path: str, kind: Kind, *, is_active: bool, at: datetime | None = None
    ) -> Sequence[Change]:
        key = "desk." + "".join(letter if letter.isalnum() else "-" for letter in name.lower())
        moment = at or datetime.now(UTC)
        work = self.alarms.report(
            key, path, is_active=is_active, at=moment, kind=kind, value=1262.4 if is_active else 1200.0, limit=1250.0
        )
        return self._site.wait_for(work)

    async def _user(self, login: str) -> User | None:
        identity = self._site.platform.identity
        return await identity.sessions.user_of(await identity.sessions.open(login, actor="test"))

    async def _raise_many(self, like: int, number: int) -> list[int]:
        columns = [one.name for one in AlarmRow.__table__.columns if one.name != "id"]
        async with self._site.platform.database.session() as session:
            known = await session.get_one(AlarmRow, like)
            row = {name: getattr(known, name) for name in columns} | {"state": "NORM", "is_active": False}
            row |= {"occurrence_id": None, "judged_us": 0}
            rows = [row | {"path": f"desk:place-{number:05}"} for number in range(number)]
            await session.execute(insert(AlarmRow), rows)
            query = select(AlarmRow.id).where(AlarmRow.rule_id == known.rule_id, AlarmRow.id != like)
            ids = list((await session.scalars(query)).all())
        await self._take(ids, What.RAISED)
        return [like, *ids]

    async def _take(self, ids: Sequence[int], what: What) -> None:
        now, many = datetime.now(UTC), len(ids)
        findings = Findings(
            np.array(ids, np.int64),
            np.full(many, what, np.uint8),
            np.full(many, microseconds(now)),
            np.full(many, 1262.4),
            np.full(many, 1250.0),
            np.full(many, what is What.RAISED),
        )
        await self.alarms.take(findings, late_before=datetime(2000, 1, 1, tzinfo=UTC))

    async def _end(self) -> None:
        admin = await self._user("anna")
        assert admin is not None
        for state, bring_back in (
            (State.OOSRV, self.alarms.return_to_service),
            (State.SHLVD, self.alarms.unshelve),
        ):
            hidden = [one.id for one in self.alarms.standing.alarms_of(admin) if one.state is state]
            await bring_back(admin, hidden)
        standing = sorted(one.id for one in self.alarms.standing.alarms_of(admin))
        if standing:
            await self.alarms.acknowledge(admin, standing)
            await self._take(standing, What.CLEARED)
