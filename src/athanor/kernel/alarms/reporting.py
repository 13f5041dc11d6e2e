"""Alarms that an app raises and clears by itself, such as a detection on video: rules whose condition is `Reported`.

The rule is made with the first report of its key, and is from then on in the hands of the alarm engineers: they change
its priority, its words, and disable it, as of any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.errors import NotReportedError
from athanor.kernel.alarms.keeping import Keeping, is_new, note_judged
from athanor.kernel.alarms.ledger import Act
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.alarms.records import Change
from athanor.kernel.alarms.rule import Category, Priority, Reported, Rule, Subject
from athanor.kernel.alarms.tables import AlarmRow, RuleRevisionRow, RuleRow
from athanor.kernel.historian.port import microseconds
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Kind:
    """What an app's alarm is like, until an engineer says otherwise; texts by language."""

    name: Mapping[str, str]
    priority: Priority = Priority.MEDIUM
    category: Category = Category.PROCESS
    consequence: Mapping[str, str] = field(default_factory=dict)
    action: Mapping[str, str] = field(default_factory=dict)
    is_safety: bool = False
    acknowledges_itself: bool = False


class Reporting:
    """Reports of apps; see `service.Alarms.report`."""

    def __init__(self, keeping: Keeping, plant: Callable[[], RunningPlant]) -> None:
        self._keeping, self._plant = keeping, plant

    async def report(self, key: str, path: str, kind: Kind, act: Act, tenant: str | None) -> tuple[Change, ...]:
        """Raise or clear the alarm of a key at a place. Raises NotReportedError."""
        async with self._keeping.database.reading() as session:
            alarm_id, is_as_told = await self._alarm(session, key, path)
        if act.trigger is Trigger.RAISED and not is_as_told:
            async with self._keeping.database.session() as session:
                await self._make(session, key, path, kind, self._whose(path, tenant))
                alarm_id, _ = await self._alarm(session, key, path)
        if alarm_id is None:  # cleared before it was ever raised, or its rule is disabled
            return ()
        async with self._keeping.database.session() as session, self._keeping.changing(session, [alarm_id]) as ledger:
            alarm, at_us = ledger.alarms[alarm_id], microseconds(act.at)
            if alarm.is_judged and is_new(alarm, act.trigger, at_us) and ledger.apply(alarm, act):
                note_judged(alarm, act.trigger, at_us)
        return await self._keeping.tell(ledger)

    async def _alarm(self, session: AsyncSession, key: str, path: str) -> tuple[int | None, bool]:
        """The id of an alarm, and whether it can be raised as it is: it is judged, and says what its rule says."""
        query = select(AlarmRow.id, AlarmRow.priority, AlarmRow.category, AlarmRow.is_judged, RuleRow.content)
        query = query.join(RuleRow, RuleRow.id == AlarmRow.rule_id)
        query = query.where(RuleRow.tenant.is_(None), RuleRow.key == key, AlarmRow.path == path)
        found = (await session.execute(query)).one_or_none()
        if found is None:
            return None, False
        rule = Rule.model_validate(found.content)
        says = (found.priority, found.category) == (int(rule.priority), rule.category.value)
        return found.id, found.is_judged and says

    async def _make(self, session: AsyncSession, key: str, path: str, kind: Kind, tenant: str | None) -> None:
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
        rule = Rule(
            name=dict(kind.name),
            subject=Subject(tag=path) if path in self._plant().model.tags else Subject(node=path),
            condition=Reported(),
            priority=kind.priority,
            category=kind.category,
            consequence=dict(kind.consequence),
            action=dict(kind.action),
            is_safety=kind.is_safety,
            acknowledges_itself=kind.acknowledges_itself,
        )
        now, app = self._keeping.now(), key.partition(".")[0]
        content = rule.model_dump(mode="json", exclude_defaults=True) | {"condition": {"kind": "reported"}}
        values = {"content": content, "revision": 1, "is_enabled": True}
        made = insert(RuleRow).values(
            tenant=None, key=key, made_by=app, made_at=now, changed_by=app, changed_at=now, **values
        )
        rule_id = await session.scalar(made.on_conflict_do_nothing().returning(RuleRow.id))
        if rule_id is not None:
            session.add(RuleRevisionRow(rule_id=rule_id, by=app, at=now, reason="reported", **values))
        row = await session.scalar(
            select(RuleRow).where(RuleRow.tenant.is_(None), RuleRow.key == key).with_for_update()
        )
        if row is None or not row.is_enabled or row.retired_at is not None:
            return
        told = Rule.model_validate(row.content)
        if not isinstance(told.condition, Reported):
            raise NotReportedError(key)
        values = {"priority": int(told.priority), "category": told.category.value, "tenant": tenant, "is_judged": True}
        fresh = {"state": State.NORM.value, "is_active": False, "is_suppressed": False, "hidden_reason": ""}
        counts = {"judged_us": 0, "suppressed_us": 0, "revision": 0}
        alarm = insert(AlarmRow).values(rule_id=row.id, path=path, **values, **fresh, **counts)
        await session.execute(alarm.on_conflict_do_nothing())
        await session.execute(update(AlarmRow).where(AlarmRow.rule_id == row.id, AlarmRow.path == path).values(values))

    def _whose(self, path: str, tenant: str | None) -> str | None:
        """The tenant of the place; of one that is not in the plant, as the app says."""
        model = self._plant().model
        node = model.nodes.get(model.tags[path].node_path if path in model.tags else path)
        return tenant if node is None else node.tenant
