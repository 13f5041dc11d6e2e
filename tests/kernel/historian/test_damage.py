"""A file of samples that is cut short, overwritten or gone: named, set aside on request, the rest readable."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from athanor.kernel.errors import NotFoundError
from athanor.kernel.historian.delta import DeltaFiles, NewFile
from athanor.kernel.historian.lake import SAMPLES
from athanor.kernel.historian.layout import SEALED
from athanor.kernel.historian.port import DamagedFileError, NotDamagedError, Span
from athanor.kernel.historian.sealed import SealedReader
from athanor.kernel.historian.store import FolderStore, Store
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.plant.model import TagId

from .samples import EVER, START, numbered, numbers_of, tag_ids

TAGS = 3
SECOND_DAY = "2026-03-30"
FIRST_DAY = Span(START, START + timedelta(hours=2))


@pytest.fixture
async def historian(store: Store, tmp_path: Path) -> AsyncIterator[TieredHistorian]:
    """Three days, a file each, with rollups, none of them hot."""
    historian = TieredHistorian(tmp_path / "hot", store)
    for number in (0, 1, 200, 201, 2000):
        await historian.write(numbered(number, tags=TAGS))
    await historian.seal_now()
    await historian.roll_up_now()
    yield historian
    await historian.close()


def file_of(store: Store, day: str) -> str:
    (name,) = store.within("samples").names(f"day={day}")
    return f"day={day}/{Path(name).name}"


def content_of(store: Store, name: str) -> bytes:
    with store.within("samples").open(name) as file:
        return bytes(file.read())


def overwrite(store: Store, name: str, content: bytes) -> None:
    """In its place, where a store has such a thing: whoever has it open sees it change."""
    if isinstance(store, FolderStore):
        Path(store.within("samples").place(name)).write_bytes(content)
        return
    store.within("samples").remove([name])
    with store.within("samples").create(name) as file:
        file.write(content)


def damage(store: Store, name: str, kind: str) -> None:
    content = content_of(store, name)
    middle = len(content) // 2
    if kind == "removed":
        store.within("samples").remove([name])
    elif kind == "emptied":
        overwrite(store, name, b"")
    else:
        overwrite(store, name, content[:middle] + (b"" if kind == "cut short" else bytes(len(content) - middle)))


def in_the_table(store: Store) -> list[int]:
    samples = store.within("samples")
    return sorted(numbers_of(DeltaTable(samples.url, storage_options=dict(samples.options)).to_pyarrow_table(), 1))


@pytest.mark.parametrize("kind", ["cut short", "overwritten", "emptied", "removed"])
async def test_what_is_damaged_is_named_then_set_aside_and_the_rest_is_readable(
    historian: TieredHistorian, store: Store, tmp_path: Path, kind: str
) -> None:
    name = file_of(store, SECOND_DAY)
    whole = content_of(store, name)
    damage(store, name, kind)
    with pytest.raises(DamagedFileError, match=f"{name} of sealed samples cannot be read"):
        await historian.read([TagId(1)], EVER)
    assert numbers_of(await historian.read([TagId(1)], FIRST_DAY), 1) == [0, 1]
    assert [Path(error.path).name for error in await historian.damaged_files()] == [Path(name).name]

    assert await historian.set_aside(Path(name).name) == name
    assert numbers_of(await historian.read([TagId(1)], EVER), 1) == [0, 1, 2000]
    assert in_the_table(store) == [0, 1, 2000]
    assert await historian.damaged_files() == []
    (missing,) = await historian.files_set_aside()
    assert (missing.name, missing.rows, missing.least["tag"], missing.greatest["tag"]) == (name, 2 * TAGS, "0", "2")
    assert missing.least["time"].startswith(SECOND_DAY)

    await historian.close()
    again = TieredHistorian(tmp_path / "hot", store)
    assert [one.name for one in await again.files_set_aside()] == [name], "a start forgets nothing"
    assert numbers_of(await again.read([TagId(1)], EVER), 1) == [0, 1, 2000]
    if kind != "removed":
        assert store.within("samples").exists(name), "what is left of it stays"
        with pytest.raises(DamagedFileError):
            await again.put_back(name)
    overwrite(store, name, whole)
    assert await again.put_back(store.within("samples").place(name)) == name
    assert await again.files_set_aside() == []
    assert numbers_of(await again.read([TagId(1)], EVER), 1) == [0, 1, 200, 201, 2000]
    assert in_the_table(store) == [0, 1, 200, 201, 2000]
    await again.close()


async def test_what_is_put_back_in_its_place_is_read_again_without_a_restart(
    historian: TieredHistorian, store: Store
) -> None:
    name = file_of(store, SECOND_DAY)
    whole = content_of(store, name)
    assert (await historian.read([TagId(1)], EVER)).num_rows == 5
    overwrite(store, name, bytes(len(whole)))
    with pytest.raises(DamagedFileError):
        await historian.read([TagId(1)], EVER)
    overwrite(store, name, whole)
    assert (await historian.read([TagId(1)], EVER)).num_rows == 5


async def test_what_is_whole_is_not_set_aside(historian: TieredHistorian, store: Store) -> None:
    with pytest.raises(NotDamagedError, match="can be read from its beginning to its end"):
        await historian.set_aside(file_of(store, SECOND_DAY))
    with pytest.raises(NotFoundError):
        await historian.set_aside("nowhere.parquet")
    with pytest.raises(NotFoundError):
        await historian.put_back(file_of(store, SECOND_DAY))
    assert (await historian.read(tag_ids(TAGS), EVER)).num_rows == 5 * TAGS


def test_a_table_without_its_log_is_not_taken_for_a_new_one(store: Store) -> None:
    table = DeltaFiles(store, SAMPLES)
    table.change(add=[NewFile("one", {"day": START.date()}, [samples()])])
    store.remove([name for name in store.names() if name.startswith("_delta_log/")])
    with pytest.raises(OSError, match="has files and no _delta_log"):
        DeltaFiles(store, SAMPLES)
    assert len(store.names()) == 1


def samples() -> pa.Table:
    rows = pa.Table.from_batches([numbered(number, tags=20) for number in range(50)]).sort_by([("tag", "ascending")])
    return rows.cast(SEALED)


@settings(max_examples=50)
@given(st.integers(0), st.integers(0, 7))
def test_one_bit_that_flips_is_never_taken_for_a_sample(
    tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    store = FolderStore(tmp_path_factory.mktemp("lake"))
    table = DeltaFiles(store, SAMPLES)
    table.change(add=[NewFile("one", {"day": START.date()}, [samples()])])
    (name,) = table.files
    path = Path(store.place(name))
    content = bytearray(path.read_bytes())
    footer = pq.read_metadata(path).serialized_size + 8
    content[4 + place % (len(content) - 4 - footer)] ^= 1 << bit
    path.write_bytes(content)
    try:
        read = SealedReader(store, name).read(None, -(2**62), 2**62)
    except DamagedFileError:
        return
    assert read.cast(SEALED).equals(samples())
