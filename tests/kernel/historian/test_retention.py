"""What goes with age: samples by day and class, never the rollups of them; and what is left says nothing wrong."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athanor.kernel.historian.aggregation import Measure, Steps, aggregate_samples
from athanor.kernel.historian.clearing import Keeping
from athanor.kernel.historian.expiry import Expiry
from athanor.kernel.historian.gaps import NONE, GapPolicy, hold, linear
from athanor.kernel.historian.kept import Kept
from athanor.kernel.historian.lake import Lake
from athanor.kernel.historian.layout import columns_of, merged
from athanor.kernel.historian.port import STORED, DamagedFileError, Span, moment
from athanor.kernel.historian.retention import RetentionClass, RetentionRules, TagClasses
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME

from .test_answering import HOUR_US, MINUTE_US, POLICIES, START_US, TAGS, done, edges_of, samples_of, stretches

DAY_US = 24 * HOUR_US
FIRST_DAY = moment(START_US).date()  # of which the samples of these tests take four hours
FAST, SLOW = TAGS  # tags of which one is kept for 30 days, the other for ever
FIVE_MINUTES = timedelta(minutes=5)

WEIGHED = {Measure.MEAN, Measure.INTEGRAL, Measure.SHARE_GOOD}

deeds = st.one_of(
    st.tuples(st.just("write"), st.lists(stretches, min_size=1, max_size=3), st.integers(0, 2**31)),
    st.tuples(st.just("import"), st.lists(stretches, min_size=1, max_size=3), st.integers(0, 2**31)),
    st.tuples(st.sampled_from(["seal", "compact", "roll up"]), st.none(), st.none()),
)


def keeping(
    *, raw_days: int | None = 30, rollup_days: int | None = None, today: date = FIRST_DAY + timedelta(days=60)
) -> Keeping:
    """For a historian in which, by `today`, all samples of FAST are too old, and those of SLOW never are."""
    rules = RetentionRules((RetentionClass("fast", raw_days, rollup_days), RetentionClass("slow")))
    return Keeping(rules, lambda: TagClasses({FAST: "fast", SLOW: "slow"}), today=lambda: today)


def opened(folder: Path, keep: Keeping | None = None) -> TieredHistorian:
    return TieredHistorian(folder / "hot", folder / "lake", keeping=keep or keeping())


Open = Callable[..., TieredHistorian]  # a folder and what is kept how long


@pytest.fixture
async def open_one() -> AsyncIterator[Open]:
    """Opens historians, and closes those that the test leaves open."""
    historians = []

    def open_one(folder: Path, keep: Keeping | None = None) -> TieredHistorian:
        historians.append(opened(folder, keep))
        return historians[-1]

    yield open_one
    for historian in historians:
        await historian.close()


@pytest.fixture
def historian(open_one: Open, tmp_path: Path) -> TieredHistorian:
    return open_one(tmp_path)


def every(seconds: int, *, tag: TagId = FAST, hours: float = 48, from_us: int = START_US) -> pa.Table:
    """Clean samples of one tag, evenly spaced, on a slow wave."""
    time_us = from_us + np.arange(int(hours * 3600 / seconds)) * seconds * 1_000_000
    value = (50 + 10 * np.sin(time_us / 7e9)).round(2)
    count = len(time_us)
    return pa.table(
        [
            pa.array(np.full(count, tag, np.int32)),
            pa.array(time_us).cast(TIME),
            pa.array(value),
            pa.nulls(count, pa.string()),
            pa.array(np.zeros(count, np.uint8)),
        ],
        schema=STORED,
    )


async def stored(historian: TieredHistorian, samples: pa.Table) -> None:
    await historian.import_history(samples)
    await historian.roll_up_now()


async def answers(historian: TieredHistorian, edges: np.ndarray) -> list[pa.Table]:
    return [
        await historian.resample(TAGS, edges, how, policy)
        for how in Measure
        for policy in POLICIES
        if how is not Measure.INTEGRAL or policy != NONE
    ]


def raw(historian: TieredHistorian, tag: TagId = FAST) -> "asyncio.Future[pa.Table]":
    return asyncio.ensure_future(historian.read([tag], Span(moment(0), moment(START_US + 10**15))))


# --- the answers


@pytest.mark.parametrize("step_us", [HOUR_US, 24 * HOUR_US])
@pytest.mark.parametrize("period_s", [1, 10, 60, 240])
async def test_answers_in_hours_and_days_outlive_the_samples(
    historian: TieredHistorian, period_s: int, step_us: int
) -> None:
    await stored(historian, pa.concat_tables([every(period_s), every(period_s, tag=SLOW)]))
    edges = np.arange(START_US - START_US % step_us - step_us, START_US + 3 * DAY_US, step_us)
    before = await answers(historian, edges)
    (removal, *_) = await historian.expire_now()
    assert removal.day == FIRST_DAY
    for one, other in zip(await answers(historian, edges), before, strict=True):
        assert one.select(["tag", "time"]).equals(other.select(["tag", "time"]))
        np.testing.assert_allclose(one["value"].to_numpy(), other["value"].to_numpy(), rtol=1e-12)
    (counts,) = (await historian.measures([FAST], edges, [Measure.COUNT], NONE)).values()
    assert sum(counts["value"].to_pylist()) == 48 * 3600 // period_s, "asked for alone, before the rest is rolled up"
    assert (await raw(historian)).num_rows == 0
    assert (await raw(historian, SLOW)).num_rows == 48 * 3600 // period_s


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    history=st.lists(deeds, min_size=1, max_size=8),
    edges=st.builds(
        edges_of, st.integers(-30, 300), st.integers(1, 20), st.sampled_from([1, 10, 15, 60, 90, 240, 1440])
    ),
    shift_us=st.sampled_from([0, 0, 1, 30_000_000]),
    policy=st.sampled_from(POLICIES),
)
def test_what_is_left_says_nothing_wrong(
    history: list[tuple[str, list[tuple[TagId, int, int, int]] | None, int | None]],
    edges: np.ndarray,
    shift_us: int,
    policy: GapPolicy,
) -> None:
    async def check() -> None:
        with tempfile.TemporaryDirectory() as folder:
            historian = opened(Path(folder))
            try:
                written = []
                for deed, some, seed in history:
                    samples = samples_of(some, seed) if some is not None and seed is not None else None
                    written += [samples] if samples is not None else []
                    await done(historian, deed, samples)
                await historian.seal_now()
                await historian.expire_now()
                assert (await raw(historian)).num_rows == 0
                for _ in range(2):
                    await no_wrong_number(historian, merged(written), edges + shift_us, policy)
                    await historian.roll_up_now()
            finally:
                await historian.close()

    asyncio.run(check())


async def no_wrong_number(historian: TieredHistorian, samples: pa.Table, edges: np.ndarray, policy: GapPolicy) -> None:
    """Each row of FAST is that of the samples, or says itself that less is known; SLOW's rows all are."""
    columns = columns_of(samples)
    truly_known = rows_of(aggregate_samples(*columns, edges, Measure.SHARE_GOOD, policy))
    still_known = rows_of_table(await historian.resample(TAGS, edges, Measure.SHARE_GOOD, policy))
    for how in Measure:
        if how is Measure.INTEGRAL and policy == NONE:
            continue
        wanted = rows_of(aggregate_samples(*columns, edges, how, policy))
        found = rows_of_table(await historian.resample(TAGS, edges, how, policy))
        assert {key for key in wanted if key[0] == SLOW} == {key for key in found if key[0] == SLOW}
        for key, value in found.items():
            says_less = how in WEIGHED and policy != NONE and still_known[key] < truly_known[key] - 1e-9
            assert says_less or value == pytest.approx(wanted[key], rel=1e-9, abs=1e-7), (how, key)


def rows_of(steps: Steps) -> dict[tuple[int, int], float]:
    return {
        (tag, time): value
        for tag, time, value in zip(steps.tag.tolist(), steps.start_us.tolist(), steps.value.tolist(), strict=True)
    }


def rows_of_table(table: pa.Table) -> dict[tuple[int, int], float]:
    times = table["time"].cast(pa.int64()).to_pylist()
    return {
        (tag, time): value
        for tag, time, value in zip(table["tag"].to_pylist(), times, table["value"].to_pylist(), strict=True)
    }


async def test_an_edge_that_cuts_a_cell_is_not_guessed(historian: TieredHistorian) -> None:
    await stored(historian, every(600))  # every ten minutes: hours are kept, and nothing finer
    edges = np.arange(START_US, START_US + 6 * HOUR_US + 1, 90 * MINUTE_US)
    policy = linear(timedelta(minutes=20))
    before = await historian.resample([FAST], edges, Measure.MEAN, policy)
    counts = await historian.resample([FAST], edges, Measure.COUNT, policy)
    assert (before.num_rows, counts["value"].to_pylist()) == (4, [9, 9, 9, 9])
    await historian.expire_now()
    after = await historian.resample([FAST], edges, Measure.MEAN, policy)
    assert after["time"].equals(before["time"])
    assert all(0.5 < share < 0.7 for share in after["covered"].to_pylist()), "an hour of each 90 minutes"
    assert (await historian.resample([FAST], edges, Measure.COUNT, policy)).num_rows == 0
    assert (await historian.resample([FAST], edges, Measure.MAX, NONE)).num_rows == 0
    whole = np.arange(START_US, START_US + 6 * HOUR_US + 1, 2 * HOUR_US)
    assert (await historian.resample([FAST], whole, Measure.COUNT, policy))["value"].to_pylist() == [12, 12, 12]


async def test_a_gap_longer_than_the_limit_is_not_guessed(historian: TieredHistorian) -> None:
    clean = every(1, hours=2)
    hole = pa.concat_tables([clean.slice(0, 965), clean.slice(1000)])  # 36 s without a sample, in minute 16
    await stored(historian, hole)
    edges = np.arange(START_US, START_US + 2 * HOUR_US + 1, HOUR_US)
    await historian.expire_now()
    (known, all_known) = (
        await historian.resample([FAST], edges, Measure.MEAN, hold(timedelta(seconds=30)))
    ).to_pylist()
    assert known["covered"] == pytest.approx(1 - 59 / 3600), "all but that minute, from its first to its last sample"
    assert all_known["covered"] == pytest.approx(1)
    longer = await historian.resample([FAST], edges, Measure.MEAN, hold(timedelta(seconds=60)))
    assert longer["covered"].to_pylist() == pytest.approx([1, 1])


async def test_a_chart_of_days_whose_samples_are_gone_keeps_their_extremes(historian: TieredHistorian) -> None:
    clean = every(10)
    value = clean["value"].to_numpy().copy()
    value[[5000, 12_345]] = 400.0, -400.0
    await stored(historian, clean.set_column(2, STORED.field("value"), pa.array(value)))
    await historian.expire_now()
    known = dict(zip(clean["time"].to_pylist(), value.tolist(), strict=True))
    for points in (20, 200, 2000):
        span = Span(moment(START_US), moment(START_US + 2 * DAY_US))
        chart = await historian.downsample([FAST], span, points)
        found = dict(zip(chart["time"].to_pylist(), chart["value"].to_pylist(), strict=True))
        assert {400.0, -400.0} <= set(found.values())
        assert all(known[time] == number for time, number in found.items()), "a point that was never measured"
    hour = await historian.downsample([FAST], Span(moment(START_US), moment(START_US + HOUR_US)), 1000)
    assert hour.num_rows > 60


async def test_classes_that_come_of_age_one_after_the_other_answer_together(open_one: Open, tmp_path: Path) -> None:
    rules = RetentionRules((RetentionClass("fast", 30), RetentionClass("slow", 50)))
    days: list[date] = []
    keep = Keeping(rules, lambda: TagClasses({FAST: "fast", SLOW: "slow"}), today=lambda: days[-1])
    historian = open_one(tmp_path, keep)
    days.append(FIRST_DAY)
    await stored(historian, pa.concat_tables([every(10), every(7, tag=SLOW)]))
    edges = np.arange(START_US, START_US + 2 * DAY_US + 1, HOUR_US)
    before = await historian.resample(TAGS, edges, Measure.MEAN, linear(FIVE_MINUTES))
    for age, gone in ((30, set()), (31, {FAST}), (50, {FAST}), (51, {FAST, SLOW})):
        days.append(FIRST_DAY + timedelta(days=age))
        await historian.expire_now()
        left = await historian.read(TAGS, Span(moment(START_US), moment(START_US + 4 * HOUR_US)))
        assert set(left["tag"].to_pylist()) == set(TAGS) - gone
        after = await historian.resample(TAGS, edges, Measure.MEAN, linear(FIVE_MINUTES))
        np.testing.assert_allclose(after["value"].to_numpy(), before["value"].to_numpy(), rtol=1e-12)
        await historian.roll_up_now()
    await historian.close()


async def test_samples_go_from_a_folder_and_from_an_object_store(tmp_path: Path, store: Store) -> None:
    historian = TieredHistorian(tmp_path / "hot", store, keeping=keeping())
    await stored(historian, pa.concat_tables([every(60), every(60, tag=SLOW)]))
    await historian.expire_now()
    await historian.close()
    again = TieredHistorian(tmp_path / "hot", store, keeping=keeping())
    hours = np.arange(START_US, START_US + 2 * DAY_US + 1, HOUR_US)
    counts = await again.resample(TAGS, hours, Measure.COUNT, NONE)
    assert counts["value"].to_pylist() == [60] * 96
    assert [(await raw(again, tag)).num_rows for tag in TAGS] == [0, 48 * 60]
    await again.close()


# --- late samples


async def test_what_comes_late_between_what_is_rolled_up_counts_from_the_next_time_on(
    historian: TieredHistorian,
) -> None:
    whole = every(10, hours=24, from_us=START_US + 4 * HOUR_US)
    is_late = np.arange(whole.num_rows) // 360 % 24 == 7  # an hour that comes when the day is closed
    await stored(historian, whole.filter(pa.array(~is_late)))
    await historian.expire_now()
    edges = np.arange(START_US + 4 * HOUR_US, START_US + 28 * HOUR_US + 1, HOUR_US)
    late = whole.filter(pa.array(is_late))
    await stored(historian, late)
    assert (await raw(historian)).num_rows == 360, "readable at once"
    counts = await historian.resample([FAST], edges, Measure.COUNT, NONE)
    assert counts["value"].to_pylist() == [360] * 23, "and not counted yet"
    (removal,) = await historian.expire_now()
    assert (removal.rows, removal.too_late) == (360, 0)
    counts = await historian.resample([FAST], edges, Measure.COUNT, NONE)
    assert counts["value"].to_pylist() == [360] * 24
    day = await historian.resample([FAST], edges[[0, -1]], Measure.MEAN, linear(FIVE_MINUTES))
    truth = aggregate_samples(*columns_of(whole), edges[[0, -1]], Measure.MEAN, linear(FIVE_MINUTES))
    assert day["value"].to_pylist() == pytest.approx(truth.value.tolist(), rel=1e-12)
    assert day["covered"].to_pylist() == pytest.approx(truth.covered.tolist(), rel=1e-12)


async def test_what_comes_late_into_what_is_rolled_up_changes_nothing(historian: TieredHistorian) -> None:
    await stored(historian, every(10))
    await historian.expire_now()
    edges = np.arange(START_US, START_US + 2 * DAY_US + 1, HOUR_US)
    before = await historian.resample([FAST], edges, Measure.SUM, NONE)
    again = samples_of([(FAST, 30, 100, 7)], 3)
    await historian.write(again.combine_chunks().to_batches()[0])
    assert (await raw(historian)).equals(again)
    assert (await historian.resample([FAST], edges, Measure.SUM, NONE)).equals(before)
    await historian.seal_now()
    (removal,) = await historian.expire_now()
    assert removal.too_late > 80, "all but those that fall between two minutes' samples"
    assert (await raw(historian)).num_rows == 0
    after = await historian.resample([FAST], edges, Measure.COUNT, NONE)
    assert after["value"].to_pylist() == pytest.approx([360 + removal.rows - removal.too_late] + [360] * 47)


# --- what goes, and what does not


async def test_nothing_goes_unless_somebody_said_so(open_one: Open, tmp_path: Path) -> None:
    historian = open_one(tmp_path, Keeping(today=lambda: FIRST_DAY + timedelta(days=10_000)))
    await stored(historian, every(60))
    assert await historian.expire_now() == []
    report = await historian.retention_report()
    assert [one.raw.rows for one in report.classes] == [0]
    assert (report.stays.rows, report.stays.days) == (48 * 60, 3)


async def test_days_go_whole_and_not_a_day_too_early(open_one: Open, tmp_path: Path) -> None:
    for age, days_left in ((30, 3), (31, 2), (32, 1), (33, 0)):
        folder = tmp_path / str(age)
        historian = open_one(folder, keeping(today=FIRST_DAY + timedelta(days=age)))
        await stored(historian, every(60))
        await historian.expire_now()
        times = (await raw(historian))["time"].cast(pa.int64()).to_numpy()
        assert len(np.unique(times // DAY_US)) == days_left
        await historian.close()


async def test_a_dry_run_says_what_goes_and_changes_nothing(historian: TieredHistorian, tmp_path: Path) -> None:
    await stored(historian, pa.concat_tables([every(10), every(10, tag=SLOW)]))
    await stored(historian, every(60, hours=1, tag=TagId(99)))  # of no class
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*") if path.is_file()}
    report = await historian.retention_report()
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*") if path.is_file()}
    fast, slow = report.classes
    assert (fast.name, fast.tags, fast.raw.days, fast.raw.files, fast.raw.rows) == ("fast", 1, 3, 3, 17_280)
    assert (fast.raw.oldest, fast.raw.newest) == (FIRST_DAY, FIRST_DAY + timedelta(days=2))
    assert (slow.raw.rows, slow.rules.raw_days) == (0, None)
    assert report.stays.rows == 17_280 + 60
    files = sum(path.stat().st_size for path in (tmp_path / "lake" / "samples").rglob("*.parquet"))
    assert fast.raw.size + report.stays.size == pytest.approx(files, rel=0.01)
    assert report.to_json()["classes"][0]["raw"]["oldest"] == FIRST_DAY.isoformat()
    removals = await historian.expire_now()
    assert sum(removal.rows for removal in removals) == fast.raw.rows
    assert sum(removal.size for removal in removals) == fast.raw.size
    assert [one.raw.rows for one in (await historian.retention_report()).classes] == [0, 0]
    assert (await raw(historian, TagId(99))).num_rows == 60


async def test_rollups_of_what_is_gone_go_with_their_month_when_they_have_come_of_age(
    open_one: Open, tmp_path: Path
) -> None:
    days = [FIRST_DAY + timedelta(days=60)]
    rules = RetentionRules((RetentionClass("fast", 30, 90), RetentionClass("slow", 30)))
    keep = Keeping(rules, lambda: TagClasses({FAST: "fast", SLOW: "slow"}), today=lambda: days[-1])
    historian = open_one(tmp_path, keep)
    march_and_april = [every(60, tag=tag, hours=120) for tag in TAGS]
    await stored(historian, pa.concat_tables(march_and_april))
    await historian.expire_now()
    edges = np.arange(START_US, START_US + 6 * DAY_US, DAY_US)

    async def counted() -> dict[int, float]:
        counts = await historian.resample(TAGS, edges, Measure.COUNT, NONE)
        return {tag: sum(row["value"] for row in counts.to_pylist() if row["tag"] == tag) for tag in TAGS}

    everything = {FAST: 5 * 1440.0, SLOW: 5 * 1440.0}
    for today, left in ((date(2026, 6, 29), 7200.0), (date(2026, 6, 30), 2640.0), (date(2026, 7, 31), 0.0)):
        days.append(today)
        due = (await historian.retention_report()).classes[0].rollups
        await historian.expire_now()
        assert (await counted()).get(FAST, 0.0) == left
        assert (due.rows > 0) == (left != everything[FAST])
        assert (await counted())[SLOW] == everything[SLOW]
    await historian.close()


# --- faults


class CutOffError(Exception):
    """What a kill would be, at a moment that the test chooses."""


@pytest.mark.parametrize("commits", [0, 1])
async def test_cut_off_between_its_commits_it_leaves_every_answer_right(
    open_one: Open, tmp_path: Path, commits: int
) -> None:
    historian = open_one(tmp_path, Keeping())
    await stored(historian, pa.concat_tables([every(10), every(600, tag=SLOW)]))
    edges = np.arange(START_US, START_US + 2 * DAY_US + 1, 30 * MINUTE_US)
    before = await answers(historian, edges)
    await historian.close()
    passed = 0

    def going(tables: Iterable[pa.Table]) -> Iterable[pa.Table]:
        nonlocal passed
        passed += 1
        if passed > commits:
            raise CutOffError
        return tables

    store, keep = FolderStore(tmp_path / "lake"), keeping()
    lake = Lake(store)
    expiry = Expiry(lake, Kept(store, lake), keep.rules, keep.classes)
    with pytest.raises(CutOffError):
        expiry.expire(FIRST_DAY, keep.today(), going)
    assert len(list((tmp_path / "lake" / "kept").rglob("*-coarse-*.parquet"))) == commits
    again = open_one(tmp_path, Keeping())
    for one, other in zip(await answers(again, edges), before, strict=True):
        assert one.equals(other)
    await again.close()
    last = open_one(tmp_path)
    assert (await last.expire_now())[0].day == FIRST_DAY
    hours = np.arange(START_US, START_US + 2 * DAY_US + 1, HOUR_US)
    counts = await last.resample([FAST], hours, Measure.COUNT, NONE)
    assert counts["value"].to_pylist() == [360] * 48
    await last.close()
    assert len(Kept(store, Lake(store)).days) == 3


async def test_nothing_goes_of_a_day_of_which_a_file_cannot_be_read(open_one: Open, tmp_path: Path) -> None:
    historian = open_one(tmp_path, Keeping())
    await stored(historian, every(10))
    await historian.close()
    damaged = next((tmp_path / "lake" / "samples").glob(f"day={FIRST_DAY}/*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-500])
    again = open_one(tmp_path)
    report = await again.retention_report()
    assert [name.rpartition("/")[2] for name in report.unreadable] == [damaged.name]
    days = [removal.day for removal in await again.expire_now()]
    assert days == [FIRST_DAY + timedelta(days=1), FIRST_DAY + timedelta(days=2)]


async def test_a_damaged_file_of_what_is_kept_is_named_and_the_rest_answers(open_one: Open, tmp_path: Path) -> None:
    historian = open_one(tmp_path, keeping(today=FIRST_DAY + timedelta(days=32)))
    await stored(historian, every(10))
    await historian.expire_now()
    await historian.close()
    (damaged,) = (tmp_path / "lake" / "kept").rglob(f"{FIRST_DAY:%Y%m%d}*-coarse-*.parquet")
    damaged.write_bytes(damaged.read_bytes()[:-500])
    again = open_one(tmp_path)
    hours = np.arange(START_US, START_US + 2 * DAY_US + 1, HOUR_US)
    with pytest.raises(DamagedFileError, match=damaged.name):
        await again.resample([FAST], hours, Measure.MEAN, NONE)
    assert (await again.resample([FAST], hours[6:], Measure.MEAN, NONE)).num_rows == 42
    assert (await raw(again)).num_rows > 0


async def test_days_of_a_month_become_one_file_and_answer_the_same(
    historian: TieredHistorian, open_one: Open, tmp_path: Path
) -> None:
    await stored(historian, every(60, hours=20 * 24, from_us=START_US + 4 * DAY_US))  # 20 days of April
    edges = np.arange(START_US + 4 * DAY_US, START_US + 24 * DAY_US + 1, HOUR_US)
    before = await historian.resample([FAST], edges, Measure.MEAN, hold(FIVE_MINUTES))
    await historian.expire_now()
    names = [path.name for path in (tmp_path / "lake" / "kept").rglob("*.parquet")]
    assert sum(name.startswith("month-") for name in names) == 1
    late = every(60, hours=1, from_us=START_US + 10 * DAY_US + HOUR_US)
    late = late.set_column(1, STORED.field("time"), pa.array(late["time"].cast(pa.int64()).to_numpy() + 1).cast(TIME))
    late = late.filter(pa.array(np.arange(60) % 15 < 14))  # all but what lies after a quarter's last sample
    await stored(historian, late)
    (removal,) = await historian.expire_now()
    assert (removal.rows, removal.too_late) == (56, 56), "within what the month's file says of their quarter"
    after = await historian.resample([FAST], edges, Measure.MEAN, hold(FIVE_MINUTES))
    np.testing.assert_allclose(after["value"].to_numpy(), before["value"].to_numpy(), rtol=1e-12)
    await historian.close()
    (month,) = (tmp_path / "lake" / "kept").rglob("month-*.parquet")
    whole = month.read_bytes()
    month.write_bytes(whole[:-500])
    again = open_one(tmp_path)
    with pytest.raises(DamagedFileError, match=month.name):
        await again.resample([FAST], edges, Measure.MEAN, hold(FIVE_MINUTES))
    assert (await again.resample([FAST], edges + 40 * DAY_US, Measure.MEAN, NONE)).num_rows == 0
    month.write_bytes(whole)
    assert (await again.resample([FAST], edges, Measure.MEAN, hold(FIVE_MINUTES))).equals(after)
