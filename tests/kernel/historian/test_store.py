"""What a lake asks of a store, of a folder and of an S3-compatible server alike."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from athanor.kernel.historian.port import HistorianUnopenableError
from athanor.kernel.historian.s3 import ACCESS_KEY, SECRET_KEY, S3Store
from athanor.kernel.historian.store import ClaimedElsewhereError, Store

LARGE = 20 * 1024 * 1024  # sent in parts


def put(store: Store, name: str, content: bytes) -> None:
    with store.create(name) as file:
        file.write(content)


def content_of(store: Store, name: str) -> bytes:
    with store.open(name) as file:
        return bytes(file.read())


@pytest.mark.parametrize("size", [0, 1, 200_000, LARGE])
def test_what_was_written_is_read_also_in_parts_and_from_anywhere(store: Store, size: int) -> None:
    content = np.random.default_rng(1).bytes(size)
    with store.create("day=2026-03-29/a.bin") as file:
        for begin in range(0, size, 3_000_000):
            file.write(content[begin : begin + 3_000_000])
        assert file.tell() == size
    assert content_of(store, "day=2026-03-29/a.bin") == content
    with store.open("day=2026-03-29/a.bin") as file:
        assert file.seek(0, io.SEEK_END) == size
        assert bytes(file.read(5)) == b""
        for start in (size // 2, 0, size - 3 if size > 3 else 0):
            file.seek(start)
            assert bytes(file.read(7)) == content[start : start + 7]


@pytest.mark.parametrize("size", [10, LARGE])
def test_what_fails_while_it_is_written_leaves_nothing(store: Store, size: int) -> None:
    def fails() -> None:
        with store.create("a.bin") as file:
            file.write(bytes(size))
            raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="changed my mind"):
        fails()
    assert not store.exists("a.bin")
    assert list(store.names()) == []


def test_objects_are_listed_and_removed_by_name(store: Store) -> None:
    names = ["day=2026-03-29/a.bin", "day=2026-03-29/b.bin", "day=2026-03-30/a.bin"]
    for name in names:
        put(store, name, b"x")
    assert sorted(store.names()) == names
    assert sorted(store.names("day=2026-03-29")) == names[:2]
    assert list(store.within("day=2026-03-30").names()) == ["a.bin"]
    assert store.names("day=1999-01-01") == []
    assert (store.exists(names[0]), store.exists("day=2026-03-29")) == (True, False)
    store.remove([names[0], "never-was.bin"])
    store.remove([])
    assert sorted(store.names()) == names[1:]


def test_what_is_not_there_is_told(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.open("nowhere.bin")


def test_parquet_is_written_and_read(store: Store) -> None:
    table = pa.table({"value": np.random.default_rng(1).random(300_000)})
    with store.create("a.parquet") as file, pq.ParquetWriter(file, table.schema) as writer:
        writer.write_table(table, row_group_size=50_000)
    reader = pq.ParquetFile(store.open("a.parquet"), pre_buffer=store.is_remote)
    assert reader.read_row_groups([1, 4]).equals(pa.concat_tables([table[50_000:100_000], table[200_000:250_000]]))


def test_a_claim_is_for_one_at_a_time(store: Store, tmp_path: Path) -> None:
    claim = store.claim(tmp_path / "one")
    with pytest.raises(ClaimedElsewhereError, match="writes here"):
        store.claim(tmp_path / "other")
    store.check_claim()
    claim.release()
    store.claim(tmp_path / "other").release()


def test_secrets_are_in_no_words(s3_store: S3Store) -> None:
    assert "of-the-park" not in f"{s3_store!r} {s3_store.url} {s3_store.place('x')} {s3_store.__dict__['_objects']!r}"


def test_the_buckets_name_goes_before_or_after_the_hosts(s3_keys: None) -> None:
    options = {"endpoint": "https://minio.park:9000", "region": "cn-north-1"}
    after, before = (S3Store("s3://lakes/copper", virtual_hosted=one, **options) for one in (False, True))
    assert (after.options["aws_endpoint"], before.options["aws_endpoint"]) == (
        "https://minio.park:9000",
        "https://lakes.minio.park:9000",
    )
    assert before.options["aws_virtual_hosted_style_request"] == "true"


def test_without_keys_it_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ACCESS_KEY, SECRET_KEY):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(HistorianUnopenableError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"):
        S3Store("s3://lakes/copper")
