"""A rule tried on history: the same as a Judge live, a pre-alarm's lead, suggestions; and rules as fields."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from athanor.apps.alarms.services.rules import UnreadableRuleError, Wish, differences, listed, rule_of, said_of
from athanor.apps.alarms.services.rules_trial import Episode, Trial, tried
from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import Condition, Expression, Hours, Limit, Priority, Ramp, Rule, Side, Stale, Subject
from athanor.kernel.alarms.rulebook import NEW, RuleBook
from athanor.kernel.database.database import Database
from athanor.kernel.historian.port import STORED, microseconds
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME
from tests.kernel.alarms.rule_plants import ENGINEER, plant

NOW = datetime(2026, 3, 8, tzinfo=UTC)
BEGIN_US = microseconds(NOW - timedelta(days=7))
TAG, OTHER = TagId(1), TagId(2)


@pytest.fixture
async def historian(tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    """Empty, with a week before NOW to fill."""
    opened = TieredHistorian(tmp_path / "hot", tmp_path / "lake")
    yield opened
    await opened.close()


async def keep(historian: TieredHistorian, value: np.ndarray, tag: TagId = TAG, *, step_s: int = 1) -> None:
    """Values one after another from the beginning of the week."""
    columns = {
        "tag": pa.array(np.full(len(value), tag), pa.int32()),
        "time": pa.array(BEGIN_US + np.arange(len(value)) * step_s * 1_000_000, pa.int64()).cast(TIME),
        "value": pa.array(value, pa.float64()),
        "text": pa.nulls(len(value), pa.string()),
        "quality": pa.array(np.zeros(len(value)), pa.uint8()),
    }
    await historian.import_history(pa.table([columns[name] for name in STORED.names], schema=STORED))


def instance(condition: Condition, *, on_s: float = 0, off_s: float = 0) -> Instance:
    return Instance(0, "works.tank.level", TAG, condition, Priority.LOW, round(on_s * 1e6), round(off_s * 1e6))


def seconds(trial: Trial) -> list[tuple[float, float | None]]:
    def of(us: int | None) -> float | None:
        return None if us is None else (us - BEGIN_US) / 1e6

    return [(of(one.raised_us), of(one.cleared_us)) for one in trial.episodes]  # type: ignore[misc]


async def test_the_worked_example_comes_out_as_it_is_printed(historian: TieredHistorian) -> None:
    """reference/alarms.md, section 6, example 1."""
    value = np.concatenate(
        [np.full(n, v) for n, v in ((10, 99.0), (3, 101), (7, 99), (20, 101), (10, 98.5), (15, 97.9))]
    )
    given = instance(Limit(side=Side.HIGH, at=100, deadband=2), on_s=5, off_s=10)
    await keep(historian, value)
    trial = await tried(historian, given, NOW)
    assert seconds(trial) == [(25.0, 60.0)]
    assert (trial.samples, trial.count, trial.at) == (65, 1, 100)


@pytest.mark.parametrize(
    "condition",
    [Limit(side=Side.HIGH, at=102, deadband=1), Ramp(side=Side.HIGH, at=102.5, window_s=120, horizon_s=300)],
)
async def test_days_judged_in_parts_come_out_as_when_judged_in_turn(
    historian: TieredHistorian, condition: Condition
) -> None:
    n = 5 * 24 * 360  # five days, every 10 s
    noise = np.random.default_rng(5).normal(0, 0.3, n)
    value = 100 + 3 * np.sin(np.arange(n) / 700) + noise
    given = instance(condition, on_s=30, off_s=60)
    await keep(historian, value, step_s=10)
    trial = await tried(historian, given, NOW)
    judge = Judge([replace(given, alarm=1)])
    time_us = BEGIN_US + np.arange(n) * 10_000_000
    found = judge.take(np.full(n, TAG), time_us, value, np.zeros(n, np.uint8))
    assert trial.count == int((found.what == What.RAISED).sum())
    raised_us = found.at_us[found.what == What.RAISED]
    assert [one.raised_us for one in trial.episodes] == raised_us[-len(trial.episodes) :].tolist()


async def test_what_stands_at_the_end_is_told_so_and_silence_is_seen(historian: TieredHistorian) -> None:
    given = instance(Stale(after_s=60))
    await keep(historian, np.ones(100))
    trial = await tried(historian, replace(given, stale_after_us=60_000_000), NOW)
    assert seconds(trial) == [(159.0, None)]


async def test_a_pre_alarm_says_how_long_before_the_limit_it_came(historian: TieredHistorian) -> None:
    value = np.concatenate([np.full(700, 50.0), 50 + np.arange(1200) / 20, np.full(300, 110.0)])
    await keep(historian, value)
    trial = await tried(historian, instance(Ramp(side=Side.HIGH, at=100, window_s=120, horizon_s=600)), NOW)
    (first, *_) = trial.episodes
    assert first.lead_s is not None
    assert 300 < first.lead_s <= 600


async def test_a_chattering_rule_is_given_settings_that_would_have_kept_it_quiet(historian: TieredHistorian) -> None:
    value = np.where(np.arange(4000) % 20 < 3, 100.5, 99.6)
    await keep(historian, value)
    trial = await tried(historian, instance(Limit(side=Side.HIGH, at=100, deadband=0)), NOW)
    assert trial.count == 200
    assert trial.suggestions
    assert trial.suggestions[0].removed > 0.9
    assert trial.suggestions[0].is_safe


async def test_a_formula_and_what_suppresses_it_are_judged_over_all_their_tags(historian: TieredHistorian) -> None:
    await keep(historian, np.where(np.arange(100) < 50, 1.0, 5.0))
    await keep(historian, np.where(np.arange(100) < 80, 1.0, 0.0), OTHER)
    given = Instance(
        0, "works.tank", None, Expression(formula="{.level} > 3"), Priority.LOW, suppressed_while="{.runs} == 0",
        names={".level": TAG, ".runs": OTHER},
    )  # fmt: skip
    trial = await tried(historian, given, NOW)
    assert seconds(trial) == [(50.0, 80.0)]


async def test_without_samples_nothing_is_tried(historian: TieredHistorian) -> None:
    trial = await tried(historian, instance(Limit(side=Side.HIGH, at=1)), NOW)
    assert (trial.samples, trial.count, list[Episode](trial.episodes)) == (0, 0, [])


# --- rules as fields

RULE = Rule(
    name={"en": "Tank full", "zh_CN": "罐满"},
    subject=Subject(tag="copper.pump0.flow"),
    condition=Limit(side=Side.HIGH, at=180),
    schedule=(Hours(days=(0, 1), from_minute=360, to_minute=1320),),
)


def test_a_rule_is_written_into_fields_and_read_back() -> None:
    assert rule_of(said_of(RULE)) == RULE


def test_fields_that_the_kind_does_not_have_are_left_aside() -> None:
    said = said_of(RULE) | {"formula": "1 >", "window_s": "abc", "type": "pump", "under": "mars"}
    assert rule_of(said) == RULE


def test_what_is_wrong_is_told_by_field() -> None:
    with pytest.raises(UnreadableRuleError) as found:
        rule_of(said_of(RULE) | {"at": "much", "schedule": "always"})
    assert set(found.value.faults) == {"at", "schedule"}
    with pytest.raises(UnreadableRuleError) as found:
        rule_of({"about": "tag", "kind": "rate"})
    assert {"name_en", "tag", "at"} <= set(found.value.faults)


async def test_the_list_is_narrowed_by_each_filter(database: Database) -> None:
    book = RuleBook(database, plant)
    await book.start()
    full = await book.save(ENGINEER, "full", RULE, revision=NEW, reason="new")
    await book.enable(ENGINEER, full.id, is_enabled=False, revision=1, reason="off")

    async def keys(**wish: str) -> set[str]:
        return {one.kept.key for one in await listed(book, ENGINEER, Wish(**wish))}

    assert len(await keys()) == 7
    assert await keys(state="disabled") == await keys(text="罐满 copper") == {"full"}
    assert await keys(kind="stale") == {"instrument.stale"}
    assert await keys(priority="2") == {"plant.low_low", "plant.high_high"}
    assert await keys(category="instrument") == {"instrument.stale", "instrument.bad"}
    assert "full" not in await keys(area="gas")
    assert "full" in await keys(area="copper")
    assert await keys(state="faulty") == set()


async def test_two_revisions_differ_in_what_was_changed(database: Database) -> None:
    book = RuleBook(database, plant)
    made = await book.save(ENGINEER, "full", RULE, revision=NEW, reason="new")
    changed = RULE.model_copy(update={"condition": Limit(side=Side.HIGH, at=170), "owner": "li.na"})
    await book.change(ENGINEER, made.id, changed, revision=1, reason="HAZOP", is_enabled=False)
    new, old = await book.revisions(ENGINEER, made.id)
    assert differences(old, new) == [("enabled", "yes", "no"), ("at", "180", "170"), ("owner", "", "li.na")]
