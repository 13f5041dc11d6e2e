"""A server whose lake lies in an object store, from settings to what others read there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars
import pytest
from deltalake import DeltaTable

from athanor.kernel.historian.s3 import ACCESS_KEY, SECRET_KEY
from athanor.kernel.telemetry import Sample

from ..kernel.historian.objectstore import BUCKET, object_store
from .running import RunningServer, wait_for

POWER = "smelter.power"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
SECRET = "nobody-shall-see-this"


@pytest.fixture
def address() -> Iterator[str]:
    """Of an object store."""
    with object_store() as address:
        yield address


def test_a_server_seals_into_a_bucket_and_others_read_it_there(own_server: RunningServer, address: str) -> None:
    own_server.environment |= {
        "ATHANOR_LAKE_URL": f"s3://{BUCKET}/works/lake",
        "ATHANOR_S3__ENDPOINT": address,
        "ATHANOR_S3__ALLOW_HTTP": "true",
        "ATHANOR_HISTORIAN__SEAL_AFTER_S": "0.5",
        ACCESS_KEY: "keeper",
        SECRET_KEY: SECRET,
    }
    own_server.start()
    own_server.send([Sample(POWER, NOW + timedelta(seconds=n), float(n)) for n in range(10)]).raise_for_status()
    wait_for(lambda: "historian.sealed" in own_server.log(), "the samples are sealed")
    options = {"endpoint": address, "allow_http": "true", "access_key_id": "keeper", "secret_access_key": SECRET}
    tags = polars.scan_delta(f"s3://{BUCKET}/works/lake/tags", storage_options=options)
    samples = polars.scan_delta(f"s3://{BUCKET}/works/lake/samples", storage_options=options)
    power = samples.join(tags, left_on="tag", right_on="id").filter(polars.col("path") == POWER).collect()
    assert sorted(power["value"].to_list()) == [float(n) for n in range(10)]
    with own_server.client() as client:
        asked = {"tag": POWER, "from": NOW.isoformat(), "to": (NOW + timedelta(minutes=1)).isoformat()}
        answer = client.get("/api/v1/series", params=asked, headers={"Accept": "application/json"})
    assert len(answer.json()) == 10
    own_server.stop()
    own_server.start()
    assert own_server.stop() == 0
    assert DeltaTable(f"s3://{BUCKET}/works/lake/tags", storage_options=options).version() == 0
    assert SECRET not in own_server.log()
    assert not (Path(own_server.settings.data_dir) / "lake").exists()
