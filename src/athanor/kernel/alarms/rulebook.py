"""The rules as they are kept: who sees and changes which, every revision with its reason, and the alarms they make."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.alarm_rows import AlarmRows, Wanted
from athanor.kernel.alarms.built_in import BUILT_IN
from athanor.kernel.alarms.faults import Fault
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.instances import Expander, Expansion
from athanor.kernel.alarms.rule import Reported, Rule
from athanor.kernel.alarms.rule_errors import (
    BadRuleError,
    FaultyRuleError,
    NotYourRuleError,
    RuleChangedMeanwhileError,
)
from athanor.kernel.alarms.rule_sight import RuleSight
from athanor.kernel.alarms.tables import RuleRevisionRow, RuleRow
from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant

CONFIGURE = "alarms.configure"
NEW = 0  # the revision of a rule that is not there yet
HOUSE = "athanor"  # who made the built-in rules
LONGEST_REASON = 1000

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A rule and where its keeping stands.

    Parameters
    ----------
    tenant
        Whose it is; None for the park's.
    revision
        Grows by one with every change; to be given back with the next.
    """

    id: int
    tenant: str | None
    key: str
    rule: Rule
    revision: int
    is_enabled: bool
    made_by: str
    made_at: datetime
    changed_by: str
    changed_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class Revision:
    """What a rule was from `at` on, who made it so and why."""

    number: int
    rule: Rule
    is_enabled: bool
    by: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Told:
    """How many alarms a rule makes, and what is wrong with it."""

    alarms: int
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class _Draft:
    """What a rule is to be."""

    key: str
    tenant: str | None
    rule: Rule
    reason: str
    is_enabled: bool | None = None  # None: as it was; enabled where it is new or comes back

    def enabled_over(self, row: RuleRow) -> bool:
        if self.is_enabled is not None:
            return self.is_enabled
        return row.is_enabled or row.retired_at is not None

    def is_as(self, row: RuleRow) -> bool:
        """Whether the row says this already."""
        if row.retired_at is not None or row.is_enabled != self.enabled_over(row):
            return False
        return Rule.model_validate(row.content) == self.rule


class RuleBook:
    """Keeps alarm rules. The park's people see and change all; a tenant's its own, and reads the park's of its assets.

    Parameters
    ----------
    plant
        The plant that runs, whole.
    now
        The clock, aware.
    """

    def __init__(
        self,
        database: Database,
        plant: Callable[[], RunningPlant],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._plant = plant
        self._now = now
        self._rows = AlarmRows(database)
        self._is_started = False
        self._known_expander: Expander | None = None
        self._told: dict[tuple[int, int], Told] = {}  # by rule and revision, in that expander's plant

    async def start(self) -> None:
        """Let there be the built-in rules that there never were. Doing it again does nothing."""
        if self._is_started:
            return
        async with self._database.session() as session:
            known = set(await session.scalars(select(RuleRow.key).where(RuleRow.tenant.is_(None))))
            for key, rule in BUILT_IN.items():
                if key not in known:
                    await self._make_built_in(session, key, rule)
        self._is_started = True

    async def version(self) -> int:
        """Another, larger number once any rule was made or changed, by whichever server."""
        async with self._database.reading() as session:
            return int(await session.scalar(select(func.coalesce(func.sum(RuleRow.revision), 0))) or 0)

    # --- asking

    async def all(self, viewer: User, *, with_retired: bool = False) -> Sequence[KeptRule]:
        """Those that the viewer sees: the park's first, then by tenant and key."""
        rules = await self._every(with_retired=with_retired)
        sight = self._sight(viewer)
        return [one for one in rules if sight.sees(one.rule, one.tenant)]

    async def get(self, viewer: User, rule_id: int) -> KeptRule:
        """One of them, also a retired one. Raises NotFoundError, also for one that the viewer does not see."""
        async with self._database.reading() as session:
            row = await session.get(RuleRow, rule_id)
        return self._seen(viewer, row, rule_id)

    async def find(self, viewer: User, key: str, tenant: str | None = None) -> KeptRule:
        """By key: the viewer's tenant's own before the park's; the park's people say whose. Raises NotFoundError."""
        owner = viewer.tenant if viewer.tenant is not None else tenant
        async with self._database.reading() as session:
            rows = (await session.scalars(select(RuleRow).where(RuleRow.key == key))).all()
        by_tenant = {row.tenant: row for row in rows}
        chosen = by_tenant.get(owner)
        if chosen is None and viewer.tenant is not None:
            chosen = by_tenant.get(None)
        return self._seen(viewer, chosen, key)

    async def revisions(self, viewer: User, rule_id: int) -> Sequence[Revision]:
        """Every one there was, the newest first. Raises NotFoundError."""
        await self.get(viewer, rule_id)
        query = select(RuleRevisionRow).where(RuleRevisionRow.rule_id == rule_id)
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(RuleRevisionRow.revision.desc()))
            return [_revision(row) for row in rows]

    def expand(self, rule: Rule, tenant: str | None) -> Expansion:
        """What a rule would come to in the plant that runs."""
        return self._expander(self._plant()).expand(rule, tenant)

    def may_change(self, viewer: User, tenant: str | None) -> bool:
        """Whether they may change a rule of this tenant's, or of the park's where it is None."""
        return viewer.may(CONFIGURE) and viewer.tenant in (None, tenant)

    # --- changing

    async def save(
        self,
        viewer: User,
        key: str,
        rule: Rule,
        *,
        revision: int,
        reason: str,
        tenant: str | None = None,
        is_enabled: bool | None = None,
        address: str = "",
    ) -> KeptRule:
        """Make a rule (`revision` NEW) or change one; a retired one comes back. Nothing happens where nothing differs.

        `tenant` is heeded for the park's own people only; others keep their own tenant's. Raises NotYourRuleError,
        BadRuleError, FaultyRuleError, RuleChangedMeanwhileError.
        """
        owner = viewer.tenant if viewer.tenant is not None else tenant
        self._check_may_change(viewer, owner)
        self.check(key, rule, owner)
        reason = _reason(key, reason)
        try:
            async with self._database.session() as session:
                draft = _Draft(key, owner, rule, reason, is_enabled)
                return await self._save(session, viewer, draft, revision, address)
        except IntegrityError as error:  # another server made the same key in the same moment
            raise RuleChangedMeanwhileError(key, 1) from error

    async def save_many(
        self,
        viewer: User,
        rules: Sequence[tuple[str, Rule, bool]],
        *,
        tenant: str | None,
        reason: str,
        address: str = "",
    ) -> int:
        """Keep all of these (key, rule, is enabled) in one transaction, over whatever is there: how many differ now.

        Each has been checked by `check`. Raises NotYourRuleError, BadRuleError.
        """
        owner = viewer.tenant if viewer.tenant is not None else tenant
        self._check_may_change(viewer, owner)
        drafts = [_Draft(key, owner, rule, _reason(key, reason), is_enabled) for key, rule, is_enabled in rules]
        async with self._database.session() as session:
            query = select(RuleRow).where(RuleRow.tenant.is_not_distinct_from(owner))
            known = {row.key: row for row in await session.scalars(query.with_for_update())}
            pairs = [(draft, known.get(draft.key)) for draft in drafts]
            pairs = [(draft, row) for draft, row in pairs if row is None or not draft.is_as(row)]
            await self._keep(session, viewer.login, pairs)
            detail = {"rules": len(rules), "changed": len(pairs), "tenant": owner, "reason": reason}
            record(session, viewer.login, "alarms.rules-imported", owner or "", address=address, detail=detail)
        return len(pairs)

    async def change(
        self, viewer: User, rule_id: int, rule: Rule, *, revision: int, reason: str, is_enabled: bool | None = None,
        address: str = "",
    ) -> KeptRule:  # fmt: skip
        """Let one that is there be this. Raises as `save`, and NotFoundError."""
        found = await self._changeable(viewer, rule_id)
        return await self.save(
            viewer, found.key, rule, revision=revision, reason=reason, tenant=found.tenant, is_enabled=is_enabled,
            address=address,
        )  # fmt: skip

    async def enable(
        self, viewer: User, rule_id: int, *, is_enabled: bool, revision: int, reason: str, address: str = ""
    ) -> KeptRule:
        """Let it make alarms, or no more. Raises as `save`, and NotFoundError."""
        found = await self._changeable(viewer, rule_id)
        return await self.change(
            viewer, rule_id, found.rule, revision=revision, reason=reason, is_enabled=is_enabled, address=address
        )

    async def restore(
        self, viewer: User, rule_id: int, number: int, *, revision: int, reason: str, address: str = ""
    ) -> KeptRule:
        """Make it again what it was at an earlier revision. Raises as `save`, and NotFoundError."""
        await self._changeable(viewer, rule_id)
        old = next((one for one in await self.revisions(viewer, rule_id) if one.number == number), None)
        if old is None:
            raise NotFoundError("revision of the rule", number)
        return await self.change(
            viewer, rule_id, old.rule, revision=revision, reason=reason, is_enabled=old.is_enabled, address=address
        )

    async def retire(self, viewer: User, rule_id: int, *, revision: int, reason: str, address: str = "") -> None:
        """Remove it; its alarms are judged no more, its history stays. Raises as `save`, and NotFoundError."""
        found = await self._changeable(viewer, rule_id)
        reason = _reason(found.key, reason)
        async with self._database.session() as session:
            row = await session.get_one(RuleRow, rule_id, with_for_update=True)
            if row.revision != revision:
                raise RuleChangedMeanwhileError(row.key, row.revision)
            if row.retired_at is not None:
                return
            now = self._now()
            row.retired_at, row.is_enabled = now, False
            _turn_over(row, viewer.login, now)
            session.add(_noted(row, reason))
            detail = {"key": row.key, "tenant": row.tenant, "reason": reason}
            record(session, viewer.login, "alarms.rule-retired", str(row.id), address=address, detail=detail)

    def check_import(self, viewer: User, tenant: str | None, reason: str) -> None:
        """Whether they may bring rules in, for this reason. Raises NotYourRuleError, BadRuleError, NotFoundError."""
        self._check_may_change(viewer, viewer.tenant if viewer.tenant is not None else tenant)
        _reason("of a sheet", reason)

    def check(self, key: str, rule: Rule, tenant: str | None) -> None:
        """Whether it could be kept. Raises BadRuleError, FaultyRuleError with every fault."""
        if not _KEY.fullmatch(key):
            raise BadRuleError(key, "its key is 1 to 200 small letters, digits, dots, hyphens and underscores.")
        if not any(text.strip() for text in rule.name.values()):
            raise BadRuleError(key, "it has no name. Write what the operator is to read.")
        faults = self.expand(rule, tenant).faults
        if faults:
            raise FaultyRuleError(key, faults)

    async def exported(self, viewer: User, *, address: str = "") -> Sequence[KeptRule]:
        """All that the viewer sees, for a file: the audit trail tells that they left."""
        found = await self.all(viewer)
        async with self._database.session() as session:
            record(session, viewer.login, "alarms.rules-exported", address=address, detail={"rules": len(found)})
        return found

    # --- what judges

    async def instances(self, plant: RunningPlant) -> list[Instance]:
        """Every alarm that the enabled rules make in a plant, each with its row in the database.

        Missing rows are made, in bulk; those whose rule or place is gone are marked as not judged any more.
        """
        await self.start()
        enabled = [one for one in await self._every(with_retired=False) if one.is_enabled]
        wanted = await asyncio.to_thread(_wanted, enabled, self._expander(plant))  # seconds, for 100,000 alarms
        return await self._rows.settle(wanted, {one.id for one in enabled if isinstance(one.rule.condition, Reported)})

    async def faults(self, viewer: User) -> dict[int, Sequence[Fault]]:
        """What is wrong with the rules that the viewer sees, in the plant that runs: by the id of those with faults."""
        found = {one.id: self.told(one).faults for one in await self.all(viewer)}
        return {rule: faults for rule, faults in found.items() if faults}

    def told(self, kept: KeptRule) -> Told:
        """How many alarms a kept rule makes in the plant that runs, and what is wrong with it."""
        expander = self._expander(self._plant())
        key = kept.id, kept.revision
        if key not in self._told:
            expansion = expander.expand(kept.rule, kept.tenant)
            self._told[key] = Told(len(expansion.instances), expansion.faults)
        return self._told[key]

    # --- how

    async def _every(self, *, with_retired: bool) -> list[KeptRule]:
        query = select(*RuleRow.__table__.columns).order_by(RuleRow.tenant.is_not(None), RuleRow.tenant, RuleRow.key)
        if not with_retired:
            query = query.where(RuleRow.retired_at.is_(None))
        async with self._database.reading() as session:
            return [kept_rule(row) for row in await session.execute(query)]

    def _expander(self, plant: RunningPlant) -> Expander:
        if self._known_expander is None or self._known_expander.plant is not plant:
            self._known_expander = Expander(plant)
            self._told = {}
        return self._known_expander

    def _sight(self, viewer: User) -> RuleSight:
        return RuleSight(viewer, self._expander(self._plant()))

    def _seen(self, viewer: User, row: RuleRow | None, name: object) -> KeptRule:
        if row is not None:
            kept = kept_rule(row)
            if self._sight(viewer).sees(kept.rule, kept.tenant):
                return kept
        raise NotFoundError("alarm rule", name)

    async def _changeable(self, viewer: User, rule_id: int) -> KeptRule:
        found = await self.get(viewer, rule_id)
        self._check_may_change(viewer, found.tenant)
        return found

    def _check_may_change(self, viewer: User, tenant: str | None) -> None:
        if not viewer.may(CONFIGURE):
            raise NotYourRuleError(f"your role ({viewer.role}) does not configure alarms ({CONFIGURE})")
        if not self.may_change(viewer, tenant):
            whose = "the park's" if tenant is None else "another enterprise's"
            raise NotYourRuleError(f"it is {whose}. Ask its people, or make one of your own")
        if tenant is not None and tenant not in self._plant().model.tenants:
            raise NotFoundError("enterprise", tenant)

    async def _save(
        self, session: AsyncSession, viewer: User, draft: "_Draft", revision: int, address: str
    ) -> KeptRule:
        key, tenant = draft.key, draft.tenant
        query = select(RuleRow).where(RuleRow.key == key, RuleRow.tenant.is_not_distinct_from(tenant))
        row = await session.scalar(query.with_for_update())
        if revision == NEW and row is not None and row.retired_at is None:
            raise BadRuleError(key, "there is one of this key already. Choose another key, or change that one.")
        if revision != NEW and row is None:
            raise NotFoundError("alarm rule", key)
        if row is not None and revision not in (NEW, row.revision):
            raise RuleChangedMeanwhileError(key, row.revision)
        if row is not None and draft.is_as(row):
            return kept_rule(row)
        before = None if row is None else {"rule": row.content, "is_enabled": row.is_enabled}
        (kept,) = await self._keep(session, viewer.login, [(draft, row)])
        action = "alarms.rule-made" if before is None else "alarms.rule-changed"
        detail = {"key": key, "tenant": tenant, "revision": kept.revision, "reason": draft.reason, "before": before}
        record(session, viewer.login, action, str(kept.id), address=address, detail=detail)
        return kept_rule(kept)

    async def _keep(
        self, session: AsyncSession, by: str, pairs: Sequence[tuple["_Draft", RuleRow | None]]
    ) -> list[RuleRow]:
        """Let each row, a new one where there is none, say what its draft does."""
        now, rows = self._now(), []
        for draft, row in pairs:
            if row is None:
                fresh = RuleRow(tenant=draft.tenant, key=draft.key, revision=0, made_by=by, made_at=now)
                fresh.is_enabled = True
                session.add(fresh)
            else:
                fresh = row
            fresh.is_enabled = draft.enabled_over(fresh)
            fresh.content, fresh.retired_at = content_of(draft.rule), None
            _turn_over(fresh, by, now)
            rows.append(fresh)
        await session.flush()  # gives the new ones their ids, all at once
        reasons = (draft.reason for draft, _row in pairs)
        session.add_all(_noted(row, reason) for row, reason in zip(rows, reasons, strict=True))
        return rows

    async def _make_built_in(self, session: AsyncSession, key: str, rule: Rule) -> None:
        """One of them, unless another server makes it in the same moment."""
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        now, content = self._now(), content_of(rule)
        made = await session.execute(
            dialect.insert(RuleRow)
            .values(
                tenant=None, key=key, content=content, revision=1, is_enabled=True, made_by=HOUSE, made_at=now,
                changed_by=HOUSE, changed_at=now,
            )
            .on_conflict_do_nothing()
            .returning(RuleRow.id)
        )  # fmt: skip
        if (rule_id := made.scalar_one_or_none()) is not None:
            session.add(
                RuleRevisionRow(
                    rule_id=rule_id, revision=1, content=content, is_enabled=True, by=HOUSE, at=now, reason="built in"
                )
            )


def _turn_over(row: RuleRow, by: str, now: datetime) -> None:
    """To the next revision."""
    row.revision += 1
    row.changed_by, row.changed_at = by, now


def _noted(row: RuleRow, reason: str) -> RuleRevisionRow:
    """What it is now, for the record."""
    return RuleRevisionRow(
        rule_id=row.id, revision=row.revision, content=row.content, is_enabled=row.is_enabled, by=row.changed_by,
        at=row.changed_at, reason=reason,
    )  # fmt: skip


def _wanted(rules: Sequence[KeptRule], expander: Expander) -> list[Wanted]:
    found: list[Wanted] = []
    for one in rules:
        expansion = expander.expand(one.rule, one.tenant)
        pairs = zip(expansion.instances, expansion.tenants, strict=True)
        category = one.rule.category.value
        found += [Wanted(one.id, category, tenant, instance) for instance, tenant in pairs]
    return found


def content_of(rule: Rule) -> dict[str, Any]:
    """A rule as it is kept: what differs from the defaults, and what kind of condition it has."""
    content = rule.model_dump(mode="json", exclude_defaults=True)
    return content | {"condition": {"kind": rule.condition.kind} | content["condition"]}


def kept_rule(row: Any) -> KeptRule:
    """A row, or the columns of one."""
    return KeptRule(
        row.id, row.tenant, row.key, Rule.model_validate(row.content), row.revision, row.is_enabled, row.made_by,
        row.made_at, row.changed_by, row.changed_at, row.retired_at,
    )  # fmt: skip


def _revision(row: RuleRevisionRow) -> Revision:
    return Revision(row.revision, Rule.model_validate(row.content), row.is_enabled, row.by, row.at, row.reason)


def _reason(key: str, reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise BadRuleError(key, "a change needs a reason. Say why, for whoever asks later.")
    if len(reason) > LONGEST_REASON:
        raise BadRuleError(key, f"the reason is longer than {LONGEST_REASON} characters.")
    return reason
