"""Findings that are taken in again, in part or in whole, as after a crash, without any database."""

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as some

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.keeping import take_in
from athanor.kernel.alarms.known import KnownRule
from athanor.kernel.alarms.ledger import Held, Ledger
from athanor.kernel.alarms.lifecycle import Design, Stand
from tests.kernel.alarms.standings import EIGHT, findings, rule

Found = tuple[What, bool]
_DESIGNS = some.builds(Design, some.booleans(), some.booleans())
_FOUND = some.lists(some.tuples(some.sampled_from(list(What)), some.booleans()), min_size=1, max_size=12)


def ledger(design: Design) -> Ledger:
    """One alarm, normal."""
    return Ledger({1: KnownRule(1, "rule", 1, rule(), design)}, EIGHT, {1: _held()})


def take(book: Ledger, found: list[Found], begin: int, end: int) -> None:
    """Take in a part of what was found: one a second."""
    for place in range(begin, min(end, len(found))):
        what, is_active = found[place]
        holds = what is What.RAISED if what in (What.RAISED, What.CLEARED) else is_active
        take_in(findings((1, what, place), is_active=holds), book, EIGHT)


@given(found=_FOUND, design=_DESIGNS, cuts=some.lists(some.tuples(some.integers(0, 12), some.integers(0, 12))))
def test_however_findings_are_repeated_the_record_is_the_same(
    found: list[Found], design: Design, cuts: list[tuple[int, int]]
) -> None:
    once, again, reached = ledger(design), ledger(design), 0
    take(once, found, 0, len(found))
    for begin, end in cuts:
        take(again, found, min(begin, reached), end)
        reached = max(reached, end)
    take(again, found, 0, len(found))
    assert record(once) == record(again)
    assert once.alarms[1].stand == again.alarms[1].stand


@given(found=_FOUND, design=_DESIGNS)
def test_of_one_alarm_no_two_occurrences_begin_at_once_and_at_most_one_stands(
    found: list[Found], design: Design
) -> None:
    book = ledger(design)
    take(book, found, 0, len(found))
    begun = [one.raised_at for _, one in book.made]
    assert begun == sorted(set(begun))
    assert sum(one.ended_at is None for _, one in book.made) <= 1
    assert all(one.ended_at is not None for _, one in book.made) == (book.alarms[1].stand.own == "NORM" or not begun)


def record(book: Ledger) -> list[tuple[str, datetime, Stand]]:
    """What happened, when, and where it led."""
    return [(step.act.trigger.value, step.act.at, step.now) for step in book.steps]


def _held() -> Held:
    return Held(
        id=1,
        rule_id=1,
        tenant="smelting",
        path="smelter.bath.temperature",
        priority=3,
        category="process",
        is_judged=True,
        stand=Stand(),
        shelved_until=None,
        shelved_by=None,
        hidden_reason="",
        hidden_at=None,
        out_of_service_by=None,
        out_of_service_at=None,
        out_of_service_reason="",
        value=None,
        limit=None,
        since=None,
        acknowledged_by=None,
        acknowledged_at=None,
        judged_us=0,
        suppressed_us=0,
        occurrence_id=None,
    )
