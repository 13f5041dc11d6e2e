"""The rules of docs/waveforms.md, on every store of files and every database."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.files.port import Files
from athanor.kernel.historian.port import Span
from athanor.kernel.telemetry import Quality
from athanor.kernel.units import UnknownUnitError
from athanor.kernel.waveforms.port import (
    BadWaveformError,
    Channel,
    DamagedWaveformError,
    Gone,
    Selection,
    Trigger,
    UnequalWaveformsError,
    checked,
)
from athanor.kernel.waveforms.service import FOLDER, StoredWaveforms

from .signals import FAN, NOON, PUMP, same, vibration, waveform

EVER = Selection(before=NOON + timedelta(days=1000))


async def names(files: Files) -> list[str]:
    return sorted([file.name async for file in files.list_files(FOLDER)])


def after_noon(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_what_was_written_is_read_bit_for_bit(waveforms: StoredWaveforms) -> None:
    given = [
        waveform(0),
        waveform(
            1, channel="microphone", quantity="sound_pressure", unit="Pa", numbers=vibration().astype(np.float32) / 7
        ),
        waveform(2, asset=PUMP, quality=Quality.UNCERTAIN, trigger=Trigger.EVENT, offset=-1.5, rate_hz=25_600.5),
        waveform(3, numbers=np.array([5], np.int16), start=after_noon(3.123456)),
    ]
    ids = await waveforms.write(given)
    assert [same(await waveforms.read(one), before) for one, before in zip(ids, given, strict=True)] == [True] * 4
    assert all(same(*pair) for pair in zip(await waveforms.read_many(ids[::-1]), given[::-1], strict=True))


async def test_values_are_in_engineering_units(waveforms: StoredWaveforms) -> None:
    numbers = np.array([-(2**15), -1, 0, 2**15 - 1], np.int16)
    scaled, plain = await waveforms.write(
        [
            waveform(0, numbers=numbers, scale=0.125, offset=2.0),
            waveform(1, numbers=numbers.astype(np.float32), scale=1.0),
        ]
    )
    values = (await waveforms.read(scaled)).values
    assert (values.dtype, values.tolist()) == (np.float64, [-4094.0, 1.875, 2.0, 4097.875])
    values = (await waveforms.read(plain)).values
    assert (values.dtype, values.tolist()) == (np.float32, numbers.tolist())


async def test_a_later_write_of_the_same_asset_channel_and_start_replaces_the_earlier(
    waveforms: StoredWaveforms, files: Files
) -> None:
    (first,) = await waveforms.write([waveform(0)])
    later = waveform(0, numbers=vibration(100, seed=9), unit="g_n", quality=Quality.BAD)
    (second,) = await waveforms.write([later])
    assert second == first
    assert same(await waveforms.read(first), later)
    assert len(await waveforms.find(FAN)) == 1
    assert len(await names(files)) == 1


async def test_within_a_call_the_last_one_wins(waveforms: StoredWaveforms) -> None:
    last = waveform(0, numbers=vibration(100, seed=9))
    ids = await waveforms.write([waveform(0), waveform(1), last])
    assert ids[0] == ids[2] != ids[1]
    assert same(await waveforms.read(ids[0]), last)


async def test_a_file_goes_when_its_last_waveform_is_replaced_and_not_before(
    waveforms: StoredWaveforms, files: Files
) -> None:
    ids = await waveforms.write([waveform(0), waveform(1)])
    (old,) = await names(files)
    await waveforms.write([waveform(0, numbers=vibration(100))])
    assert old in await names(files)
    assert same(await waveforms.read(ids[1]), waveform(1))
    await waveforms.write([waveform(1, numbers=vibration(100))])
    assert old not in await names(files)
    assert len(await names(files)) == 2


async def test_what_is_written_together_shares_a_file_for_each_asset(waveforms: StoredWaveforms, files: Files) -> None:
    await waveforms.write([waveform(number, channel=channel) for number in range(5) for channel in ("x", "y")])
    assert len(await names(files)) == 1
    await waveforms.write([waveform(0, asset=PUMP), waveform(9, asset=FAN), waveform(1, asset=PUMP)])
    assert [name.rpartition("/")[0] for name in await names(files)] == [
        "waveforms/smelter/fans/fan_1", "waveforms/smelter/fans/fan_1", "waveforms/smelter/water/pump_2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"asset": "../secret"}, "no path of an asset"),
        ({"asset": "a." * 300 + "b"}, "no path of an asset"),
        ({"channel": "DE x"}, "no channel"),
        ({"channel": "x" * 65}, "no channel"),
        ({"start": datetime(2026, 1, 1)}, "has no time zone"),  # noqa: DTZ001
        ({"rate_hz": 0.0}, "sampling rate"),
        ({"rate_hz": float("nan")}, "sampling rate"),
        ({"rate_hz": float("inf")}, "sampling rate"),
        ({"scale": 0.0}, "scale not 0"),
        ({"scale": float("nan")}, "must be finite"),
        ({"offset": float("inf")}, "must be finite"),
        ({"quantity": "loudness"}, "none of acceleration, velocity"),
        ({"unit": "g"}, "acceleration is not measured in g"),
        ({"unit": "mm/s"}, "acceleration is not measured in mm/s"),
        ({"numbers": np.zeros(0, np.int16)}, "0 points"),
        ({"numbers": np.zeros((2, 5), np.int16)}, r"of shape \(2, 5\)"),
        ({"numbers": np.zeros(5)}, "its numbers are float64"),
        ({"numbers": np.zeros(5, np.int32)}, "its numbers are int32"),
        ({"numbers": np.zeros(5, ">i2")}, "its numbers are >i2"),
    ],
    ids=str,
)
def test_what_is_no_waveform_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadWaveformError, match=reason):
        checked(waveform(0, **change))


async def test_of_a_call_with_one_that_is_refused_none_is_stored(waveforms: StoredWaveforms, files: Files) -> None:
    with pytest.raises(BadWaveformError):
        await waveforms.write([waveform(0), waveform(1, channel="DE x")])
    assert (await waveforms.find(FAN), await names(files)) == ([], [])


def test_a_unit_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownUnitError):
        checked(waveform(0, unit="frobs"))


async def test_they_are_found_by_asset_channel_and_start(waveforms: StoredWaveforms) -> None:
    await waveforms.write(
        [waveform(number, channel=channel) for number in (3, 1, 2) for channel in ("y", "x")]
        + [waveform(1, asset=PUMP)]
    )

    async def found(*asked: Any, **more: Any) -> list[tuple[float, str]]:
        entries = await waveforms.find(*asked, **more)
        return [((entry.head.start - NOON).total_seconds(), entry.head.channel) for entry in entries]

    assert await found(FAN) == [(1, "x"), (1, "y"), (2, "x"), (2, "y"), (3, "x"), (3, "y")]
    assert await found(FAN, "y") == [(1, "y"), (2, "y"), (3, "y")]
    assert await found(FAN, None, Span(after_noon(1), after_noon(3))) == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]
    assert await found(FAN, "x", Span(after_noon(1.000001), after_noon(9))) == [(2, "x"), (3, "x")]
    assert await found(FAN, limit=3) == [(1, "x"), (1, "y"), (2, "x")]
    assert await found(FAN, limit=2, after=(after_noon(2), "x")) == [(2, "y"), (3, "x")]
    assert await found(PUMP) == [(1, "de_x")]
    assert await found("smelter") == await found(FAN, "z") == []


async def test_what_is_found_says_what_it_is(waveforms: StoredWaveforms) -> None:
    given = waveform(0, numbers=vibration(5000), trigger=Trigger.EVENT)
    (waveform_id,) = await waveforms.write([given])
    (entry,) = await waveforms.find(FAN)
    assert entry == await waveforms.entry(waveform_id)
    assert (entry.id, entry.head, entry.points, entry.dtype) == (waveform_id, given.head, 5000, "int16")
    assert 0 < entry.size < 10_000


async def test_times_come_back_in_utc(waveforms: StoredWaveforms) -> None:
    beijing = timezone(timedelta(hours=8))
    (waveform_id,) = await waveforms.write([waveform(0, start=NOON.astimezone(beijing))])
    assert (await waveforms.entry(waveform_id)).head.start.tzinfo is UTC
    assert (await waveforms.read(waveform_id)).head.start == NOON


async def test_the_newest_of_each_channel_is_found_at_once(waveforms: StoredWaveforms) -> None:
    await waveforms.write([waveform(number, channel=channel) for number in (5, 7, 6) for channel in ("y", "x")])
    await waveforms.write([waveform(0, channel="z", start=after_noon(6.5)), waveform(9, asset=PUMP)])
    newest = await waveforms.latest(FAN)
    assert [(entry.head.channel, entry.head.start) for entry in newest] == [
        ("x", after_noon(7)), ("y", after_noon(7)), ("z", after_noon(6.5)),
    ]  # fmt: skip
    assert [entry.head.channel for entry in await waveforms.latest(FAN, "y")] == ["y"]
    assert await waveforms.latest("nothing") == await waveforms.latest(FAN, "nothing") == []


async def test_channels_are_listed(waveforms: StoredWaveforms) -> None:
    await waveforms.write([waveform(0, channel="y"), waveform(0, channel="x"), waveform(0, asset=PUMP)])
    assert await waveforms.channels(FAN) == [Channel(FAN, "x"), Channel(FAN, "y")]
    assert await waveforms.channels() == [Channel(FAN, "x"), Channel(FAN, "y"), Channel(PUMP, "de_x")]


async def test_many_of_one_length_make_a_table(waveforms: StoredWaveforms) -> None:
    given = [waveform(number) for number in range(20)]
    ids = await waveforms.write(given)
    table = await waveforms.table(ids)
    assert (table.shape, table.dtype) == ((20, 4800), np.float64)
    assert np.array_equal(table, np.stack([one.values for one in given]))
    assert (await waveforms.table([])).shape == (0, 0)


@pytest.mark.parametrize("change", [{"numbers": vibration(4799)}, {"rate_hz": 12_000.0}, {"unit": "g_n"}], ids=str)
async def test_what_makes_no_table_is_refused(waveforms: StoredWaveforms, change: dict[str, Any]) -> None:
    ids = await waveforms.write([waveform(0), waveform(1, **change)])
    with pytest.raises(
        UnequalWaveformsError, match=f"{ids[0]} and {ids[1]} make no table: 4800 points at 48000 Hz in m/s2"
    ):
        await waveforms.table(ids)


async def test_one_that_is_not_there_is_not_found(waveforms: StoredWaveforms) -> None:
    (there,) = await waveforms.write([waveform(0)])
    for asked in (waveforms.read(99), waveforms.entry(99), waveforms.read_many([there, 99]), waveforms.table([99])):
        with pytest.raises(NotFoundError, match="no waveform 99"):
            await asked


async def test_writing_nothing_is_no_error(waveforms: StoredWaveforms) -> None:
    assert await waveforms.write([]) == []
    assert await waveforms.read_many([]) == []


async def test_a_damaged_file_is_named_and_all_others_are_read(waveforms: StoredWaveforms, files: Files) -> None:
    ids = await waveforms.write([waveform(0), waveform(1)])
    (name,) = await names(files)
    whole = await files.get(name)
    size = (await waveforms.entry(ids[0])).size
    await files.put(name, whole[: size // 2] + b"\0" + whole[size // 2 + 1 :])
    with pytest.raises(
        DamagedWaveformError, match=rf"Waveform {ids[0]} \(smelter.fans.fan_1 de_x, .*checksum is wrong"
    ):
        await waveforms.read(ids[0])
    assert same(await waveforms.read(ids[1]), waveform(1))
    await files.put(name, whole[: size + 10])
    assert same(await waveforms.read(ids[0]), waveform(0))
    with pytest.raises(DamagedWaveformError, match="10 bytes are there"):
        await waveforms.read(ids[1])
    await files.delete(name)
    with pytest.raises(DamagedWaveformError, match="it is missing"):
        await waveforms.read(ids[0])
    await files.put(name, whole)
    assert same(await waveforms.read(ids[1]), waveform(1))


async def test_a_file_that_holds_another_waveform_is_no_answer(waveforms: StoredWaveforms, files: Files) -> None:
    numbers = np.zeros(100, np.int16)
    for number in (0, 1):
        await waveforms.write([waveform(number, numbers=numbers)])
    one, other = await names(files)
    await files.put(one, await files.get(other))
    with pytest.raises(DamagedWaveformError, match="another waveform is there"):
        await waveforms.read((await waveforms.find(FAN))[0].id)


async def test_age_makes_waveforms_go_and_a_dry_run_says_which(waveforms: StoredWaveforms, files: Files) -> None:
    await waveforms.write([waveform(number) for number in range(3)])
    await waveforms.write([waveform(number) for number in range(3, 6)])
    sizes = [entry.size for entry in await waveforms.find(FAN)]
    expected = Gone(4, 4 * 4800, sum(sizes[:4]), NOON, after_noon(3))
    selection = Selection(before=after_noon(4))
    assert await waveforms.expire(selection, dry_run=True) == expected
    assert len(await waveforms.find(FAN)) == 6
    assert await waveforms.expire(selection, dry_run=False) == expected
    assert [entry.head.start for entry in await waveforms.find(FAN)] == [after_noon(4), after_noon(5)]
    assert len(await names(files)) == 1
    assert await waveforms.expire(selection, dry_run=False) == Gone(0, 0, 0)
    for entry in await waveforms.find(FAN):
        await waveforms.read(entry.id)


async def test_age_may_take_some_assets_and_one_trigger_only(waveforms: StoredWaveforms) -> None:
    await waveforms.write(
        [
            waveform(number, asset=asset, trigger=trigger, channel=trigger.value)
            for number in range(2)
            for asset in (FAN, PUMP)
            for trigger in Trigger
        ]
    )
    soon = after_noon(10)
    assert (await waveforms.expire(Selection(soon, [FAN], Trigger.SCHEDULED), dry_run=False)).waveforms == 2
    assert (await waveforms.expire(Selection(soon, [], None), dry_run=False)).waveforms == 0
    assert [entry.head.trigger for entry in await waveforms.latest(FAN)] == [Trigger.EVENT, Trigger.MANUAL]
    assert len(await waveforms.find(PUMP)) == 6
    assert (await waveforms.expire(Selection(soon, None, Trigger.EVENT), dry_run=False)).waveforms == 4
    assert (await waveforms.expire(EVER, dry_run=False)).waveforms == 6


async def test_ids_are_never_given_twice(waveforms: StoredWaveforms) -> None:
    before = await waveforms.write([waveform(0), waveform(1)])
    await waveforms.expire(EVER, dry_run=False)
    assert min(await waveforms.write([waveform(0), waveform(1)])) > max(before)


async def test_a_sweep_takes_old_files_that_no_waveform_is_in_and_no_others(files: Files, database: Database) -> None:
    clock = [datetime.now(UTC)]
    waveforms = StoredWaveforms(files, database, now=lambda: clock[0])
    (waveform_id,) = await waveforms.write([waveform(0)])
    known = await names(files)
    await files.put("waveforms/smelter/left-by-a-crash.awf", b"half a write")
    await files.put("documents/plan.pdf", b"somebody else's")
    assert await waveforms.sweep() == 0, "it may be a write that goes on"
    clock[0] += timedelta(days=2)
    assert await waveforms.sweep() == 1
    assert await names(files) == known
    assert await files.get("documents/plan.pdf") == b"somebody else's"
    assert same(await waveforms.read(waveform_id), waveform(0))
    await waveforms.close()


async def test_many_write_the_same_at_once_and_one_stays_whole(waveforms: StoredWaveforms, files: Files) -> None:
    given = [waveform(0, numbers=vibration(3000, seed=seed)) for seed in range(12)]
    ids = await asyncio.gather(
        *(waveforms.write([one, waveform(1, channel=f"c{place}")]) for place, one in enumerate(given))
    )
    (waveform_id,) = {first for first, _ in ids}
    stored = await waveforms.read(waveform_id)
    assert any(same(stored, one) for one in given)
    assert len(await waveforms.find(FAN)) == 13
    for entry in await waveforms.find(FAN):
        await waveforms.read(entry.id)


async def test_readers_of_what_is_replaced_see_one_or_the_other(waveforms: StoredWaveforms) -> None:
    given = [waveform(0, numbers=vibration(3000, seed=seed)) for seed in range(20)]
    (waveform_id,) = await waveforms.write(given[:1])

    async def read_on() -> None:
        while not writing.done():
            found = await waveforms.read(waveform_id)
            assert any(same(found, one) for one in given)

    async def write_on() -> None:
        for one in given:
            await waveforms.write([one])

    writing = asyncio.create_task(write_on())
    await asyncio.gather(writing, *(read_on() for _ in range(3)))
    assert same(await waveforms.read(waveform_id), given[-1])


async def test_a_sender_who_gives_up_takes_no_other_with_them(waveforms: StoredWaveforms) -> None:
    writing = [asyncio.create_task(waveforms.write([waveform(number)])) for number in range(12)]
    await asyncio.sleep(0)
    for task in writing[::3]:
        task.cancel()
    outcomes = await asyncio.gather(*writing, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in outcomes[::3])
    stored = {entry.id for entry in await waveforms.find(FAN)}
    for number, outcome in enumerate(outcomes):
        if number % 3:
            assert isinstance(outcome, list)
            assert set(outcome) <= stored
