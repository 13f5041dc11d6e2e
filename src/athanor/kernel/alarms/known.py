"""Rules as they are needed where alarms live: read once a revision, and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.alarms.lifecycle import Design
from athanor.kernel.alarms.rule import Rule
from athanor.kernel.alarms.tables import RuleRow

_T = TypeVar("_T")
PIECE = 5000  # ids that one statement names: below the limits of both databases


@dataclass(frozen=True, slots=True)
class KnownRule:
    """A rule as it holds now."""

    id: int
    key: str
    revision: int
    rule: Rule
    design: Design


class KnownRules:
    """The rules that were asked for, by id; one that was changed is read again."""

    def __init__(self) -> None:
        self._known: dict[int, KnownRule] = {}

    def __getitem__(self, rule_id: int) -> KnownRule:
        """One that `load` was asked for."""
        return self._known[rule_id]

    def get(self, rule_id: int) -> KnownRule | None:
        """One that may never have been asked for."""
        return self._known.get(rule_id)

    async def load(self, session: AsyncSession, ids: Iterable[int]) -> Mapping[int, KnownRule]:
        """These rules as they hold now."""
        wanted = sorted(set(ids))
        changed = [
            rule_id
            for piece in pieces(wanted)
            for rule_id, revision in await session.execute(
                select(RuleRow.id, RuleRow.revision).where(RuleRow.id.in_(piece))
            )
            if rule_id not in self._known or self._known[rule_id].revision != revision
        ]
        for piece in pieces(changed):
            columns = (RuleRow.id, RuleRow.key, RuleRow.revision, RuleRow.content)
            for rule_id, key, revision, content in await session.execute(select(*columns).where(RuleRow.id.in_(piece))):
                rule = Rule.model_validate(content)
                design = Design(rule.is_latched, rule.acknowledges_itself)
                self._known[rule_id] = KnownRule(rule_id, key, revision, rule, design)
        return self._known


def pieces(items: list[_T], size: int = PIECE) -> Iterable[list[_T]]:
    """Cut a list, in its order."""
    return (items[start : start + size] for start in range(0, len(items), size))


def as_id(number: int) -> int:
    """A number as an id that both databases take: 0, which nothing has, for one that cannot be any."""
    return number if 0 < number < 1 << 31 else 0
