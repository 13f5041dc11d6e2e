"""Killed at any moment over a lake in an object store, it opens again at once, with nothing lost and nothing twice."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from athanor.kernel.historian.tiered import TieredHistorian

from ..killing import killed_after
from .crashing_afar import TAGS, write_until_killed
from .objectstore import lake_at
from .samples import EVER, numbers_of, tag_ids

KILLS = 8
LONGEST_LIFE_S = 0.8  # of a process after its first acknowledgement
pytestmark = pytest.mark.usefixtures("children_find_tests")


async def test_killed_over_an_object_store_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, object_store_address: str, s3_keys: None
) -> None:
    moments = random.Random(7)
    store = lake_at(object_store_address)
    prefix = store.url.rpartition("/")[2]
    acknowledged: set[int] = set()
    unsaid: set[int] = set()  # written, perhaps durable, killed before it was said
    for _ in range(KILLS):
        first = max(acknowledged, default=-2) + 2  # never the same again: what is twice then is a fault
        life_s = moments.uniform(0, LONGEST_LIFE_S)
        acknowledged |= set(killed_after(life_s, write_until_killed, tmp_path, object_store_address, prefix, first))
        unsaid.add(max(acknowledged) + 1)
    historian = TieredHistorian(tmp_path / "hot", lake_at(object_store_address, prefix))
    await historian.seal_now()
    samples = await historian.read(tag_ids(TAGS), EVER)
    await historian.close()
    found = numbers_of(samples, 0)
    assert acknowledged - set(found) == set(), "acknowledged batches are lost"
    assert set(found) - acknowledged <= unsaid, "batches are there that nobody wrote"
    assert found == sorted(set(found)), "batches are there twice"
    assert samples.num_rows == len(found) * TAGS, "a batch is there in part"
    in_lake = DeltaTable(f"{store.url}/samples", storage_options=dict(store.options)).to_pyarrow_table()
    assert in_lake.num_rows == samples.num_rows, "others who read the lake see something twice"
    assert pa.compute.count_distinct(in_lake["time"]).as_py() == len(found)
