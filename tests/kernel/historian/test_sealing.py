"""What goes wrong between the lake's commit and the hot tail's farewell loses nothing."""

import shutil
from pathlib import Path

import pytest

from athanor.kernel.historian import lake as lake_module
from athanor.kernel.historian import store as store_module
from athanor.kernel.historian.port import HistorianFullError, HistorianUnopenableError
from athanor.kernel.historian.tiered import TieredHistorian

from .samples import EVER, numbered, numbers_of, tag_ids


def opened(folder: Path) -> TieredHistorian:
    return TieredHistorian(folder / "hot", folder / "lake")


async def test_a_commit_that_cannot_be_flushed_keeps_its_files_and_the_hot_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    historian = opened(tmp_path)
    await historian.write(numbered(1, tags=3))
    flush = store_module.flush

    def fails_on_the_log(place: Path) -> None:
        if place.suffix == ".json":
            raise OSError(24, "Too many open files")
        flush(place)

    with monkeypatch.context() as patched:
        patched.setattr(store_module, "flush", fails_on_the_log)
        with pytest.raises(HistorianFullError):
            await historian.seal_now()
        assert numbers_of(await historian.read(tag_ids(3), EVER), 0) == [1]
    await historian.seal_now()
    assert numbers_of(await historian.read(tag_ids(3), EVER), 0) == [1]
    await historian.close()
    again = opened(tmp_path)
    assert numbers_of(await again.read(tag_ids(3), EVER), 0) == [1]
    await again.close()


async def test_a_hot_tail_put_back_from_an_older_backup_takes_new_samples_that_last(tmp_path: Path) -> None:
    historian = opened(tmp_path)
    await historian.write(numbered(1, tags=3))
    await historian.close()
    shutil.copytree(tmp_path / "hot", tmp_path / "backup")
    historian = opened(tmp_path)
    await historian.write(numbered(2, tags=3))
    await historian.seal_now()
    await historian.close()
    shutil.rmtree(tmp_path / "hot")
    shutil.move(tmp_path / "backup", tmp_path / "hot")
    historian = opened(tmp_path)
    await historian.write(numbered(3, tags=3))
    await historian.seal_now()
    assert numbers_of(await historian.read(tag_ids(3), EVER), 0) == [1, 2, 3]
    await historian.close()


async def test_two_hot_tails_cannot_share_a_lake(tmp_path: Path) -> None:
    historian = opened(tmp_path)
    with pytest.raises(HistorianUnopenableError):
        TieredHistorian(tmp_path / "other", tmp_path / "lake")
    await historian.close()
    TieredHistorian(tmp_path / "other", tmp_path / "lake")._close()


async def test_while_the_lake_takes_nothing_the_hot_tail_does_not_grow_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    historian = TieredHistorian(tmp_path / "hot", tmp_path / "lake", seal_rows=1000)
    monkeypatch.setattr(lake_module.Lake, "add", _no_room)
    acknowledged = list(range(11))
    for number in acknowledged:
        await historian.write(numbered(number, tags=1000))
    with pytest.raises(HistorianFullError, match="wait to be sealed"):
        await historian.write(numbered(20, tags=1000))
    assert numbers_of(await historian.read(tag_ids(1), EVER), 0) == acknowledged
    monkeypatch.undo()
    await historian.seal_now()
    await historian.write(numbered(30, tags=1000))
    assert numbers_of(await historian.read(tag_ids(1), EVER), 0) == [*acknowledged, 30]
    await historian.close()


def _no_room(self: object, *_: object, **__: object) -> None:
    raise HistorianFullError("the lake", "no room")
