"""What every store of files does, whichever it is."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.files.folder import FolderFiles
from athanor.kernel.files.port import BadFileNameError, FileMissingError, Files, checked_name
from athanor.kernel.files.s3 import S3Files

from .object_store import ObjectStore

PLAN = "documents/2026/plan.pdf"


@pytest.fixture(params=["folder", "s3"])
async def files(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Files]:
    """An empty store."""
    opened: Files
    if request.param == "folder":
        opened = FolderFiles(tmp_path / "files")
    else:
        object_store: ObjectStore = request.getfixturevalue("object_store")
        opened = S3Files(object_store.new_bucket() + "/some/prefix", endpoint=object_store.endpoint, allow_http=True)
    yield opened
    await opened.close()


async def names(files: Files, folder: str = "") -> list[str]:
    return sorted([entry.name async for entry in files.list_files(folder)])


async def in_pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        await asyncio.sleep(0)
        yield piece


async def test_what_was_put_is_there_whole(files: Files) -> None:
    content = os.urandom(300_000)
    await files.put(PLAN, content)
    assert await files.get(PLAN) == content
    assert await files.size(PLAN) == len(content)


async def test_a_file_may_come_in_pieces(files: Files) -> None:
    parts = [os.urandom(size) for size in (3, 0, 5_000_000, 1, 6_000_000)]
    await files.put(PLAN, in_pieces(*parts))
    assert await files.get(PLAN) == b"".join(parts)


async def test_an_empty_file_is_a_file(files: Files) -> None:
    await files.put(PLAN, b"")
    await files.put("other", in_pieces())
    assert (await files.get(PLAN), await files.size(PLAN), await files.get("other")) == (b"", 0, b"")


async def test_a_range_is_read_alone(files: Files) -> None:
    await files.put(PLAN, bytes(range(100)))
    assert await files.get_range(PLAN, 10, 5) == bytes(range(10, 15))
    assert await files.get_range(PLAN, 0, 0) == b""
    assert await files.get_range(PLAN, 95, 50) == bytes(range(95, 100))
    assert await files.get_range(PLAN, 200, 5) == b""


async def test_a_later_put_replaces_the_earlier(files: Files) -> None:
    await files.put(PLAN, b"the first, and the longer")
    await files.put(PLAN, b"the second")
    assert await files.get(PLAN) == b"the second"
    assert await names(files) == [PLAN]


async def test_where_its_source_fails_a_file_is_not_stored_and_the_earlier_stays(files: Files) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(1000)
        raise ConnectionResetError("the sender went away")

    with pytest.raises(ConnectionResetError, match="the sender went away"):
        await files.put("new", broken())
    await files.put(PLAN, b"the earlier")
    with pytest.raises(ConnectionResetError):
        await files.put(PLAN, broken())
    assert await files.get(PLAN) == b"the earlier"
    assert await names(files) == [PLAN]


async def test_a_sender_who_is_cancelled_leaves_nothing(files: Files) -> None:
    started = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield bytes(1000)
        started.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(files.put(PLAN, endless()))
    await started.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert await names(files) == []


async def test_a_file_that_is_not_there_is_said_to_be_missing(files: Files) -> None:
    await files.put(PLAN, b"1")
    for name in ("nothing", "documents", "documents/2026", "documents/2026/plan.pdf/page"):
        for asked in (files.get(name), files.get_range(name, 0, 1), files.size(name)):
            with pytest.raises(FileMissingError, match=f"'{name}'"):
                await asked


async def test_files_are_listed_by_folder_at_any_depth(files: Files) -> None:
    before = datetime.now(UTC)
    given = ["a/1", "a/b/2", "a/b/c/3", "ab/4", "5"]
    for number, name in enumerate(given):
        await files.put(name, bytes(number))
    assert await names(files) == sorted(given)
    assert await names(files, "a") == ["a/1", "a/b/2", "a/b/c/3"]
    assert await names(files, "a/b") == ["a/b/2", "a/b/c/3"]
    assert await names(files, "nothing") == []
    (found,) = [entry async for entry in files.list_files("ab")]
    assert (found.name, found.size) == ("ab/4", 3)
    assert abs(found.stored_at - before) < timedelta(minutes=1)


async def test_more_files_than_one_page_are_listed(files: Files) -> None:
    for tens in range(0, 1100, 100):  # not all at once: some stores answer slowly
        await asyncio.gather(*(files.put(f"many/{number:04}", b"") for number in range(tens, tens + 100)))
    assert len(await names(files, "many")) == 1100


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(files: Files) -> None:
    await files.put(PLAN, b"1")
    await files.put("documents/2025/plan.pdf", b"2")
    for name in (PLAN, PLAN, "documents", "never/was"):
        await files.delete(name)
    assert await names(files) == ["documents/2025/plan.pdf"]
    with pytest.raises(FileMissingError):
        await files.get(PLAN)


async def test_names_in_any_script_are_kept(files: Files) -> None:
    for name in ("图纸/1 号 炉.pdf", "a b/c+d%20e=f&g.bin", "x" * 200):
        await files.put(name, name.encode())
        assert await files.get(name) == name.encode()
        assert name in await names(files)


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "/etc/passwd", "..", "../secret", "a/../../b", "a/./b", "a//b", "a/", ".incoming/x", "a/.b", "a\\b",
        "a\0b", "a\nb", "x" * 201, "x/" * 500 + "x",
    ],
)  # fmt: skip
async def test_a_name_that_leads_out_or_that_some_store_cannot_keep_is_refused(files: Files, name: str) -> None:
    for asked in (files.put(name, b"1"), files.get(name), files.get_range(name, 0, 1), files.size(name)):
        with pytest.raises(BadFileNameError):
            await asked
    with pytest.raises(BadFileNameError):
        await files.delete(name)
    assert await names(files) == []


@given(st.text(max_size=40))
def test_no_name_that_is_let_pass_leads_out(name: str) -> None:
    try:
        checked_name(name)
    except BadFileNameError:
        return
    assert os.path.normpath(f"/root/{name}") == f"/root/{name}"


async def test_many_at_once_do_not_mix(files: Files) -> None:
    contents = {f"many/{number}": os.urandom(10_000) for number in range(40)}
    await asyncio.gather(*(files.put(name, content) for name, content in contents.items()))
    found = await asyncio.gather(*(files.get(name) for name in contents))
    assert dict(zip(contents, found, strict=True)) == contents


async def test_of_two_who_put_the_same_name_at_once_one_stays_whole(files: Files) -> None:
    contents = [bytes([number]) * 100_000 for number in range(10)]
    await asyncio.gather(*(files.put(PLAN, content) for content in contents))
    assert await files.get(PLAN) in contents


async def test_it_answers(files: Files) -> None:
    await files.check()
