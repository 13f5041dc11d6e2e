"""Documents as people use them, on both databases and both stores of files."""

import asyncio
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.documents.errors import (
    DocumentChangeError,
    DocumentCutShortError,
    DocumentEmptyError,
    DocumentTooLargeError,
    DocumentTypeError,
)
from athanor.kernel.documents.records import ASSET, Filing, Kind, Rules, Subject, Wish
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.upkeep import Swept
from athanor.kernel.errors import NotFoundError
from athanor.kernel.files.port import Files
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.tables import AuditRow

from .sending import ANNA, KARL, OLGA, PDF, PNG, RULES, Clock, file, names_in, read

FURNACE = Subject(ASSET, "smelter.smelting.bath.furnace", "Furnace\n熔炼炉")


async def actions(database: Database) -> list[str]:
    async with database.reading() as session:
        return list((await session.scalars(select(AuditRow.action).order_by(AuditRow.id))).all())


async def test_what_is_uploaded_is_there_bit_for_bit_and_in_the_audit_trail(
    documents: Documents, database: Database
) -> None:
    content = PDF + bytes(range(256)) * 5000
    stored = await documents.upload(OLGA, file("plan.pdf", content[:10], content[10:]), Filing(labels=["P&ID", "P&ID"]))
    version = await documents.open(OLGA, stored.version.document_id)
    assert await read(documents, version) == content
    assert await read(documents, version, 100, 1_200_000) == content[100:1_200_000]
    assert (version.sha256, version.size) == (hashlib.sha256(content).hexdigest(), len(content))
    told = await documents.told(OLGA, version.document_id)
    assert (told.document.title, told.document.labels, told.document.tenant) == ("plan.pdf", ["P&ID"], "copper")
    assert await actions(database) == ["documents.uploaded"]
    assert (await verify(database)).is_whole


async def test_other_enterprises_see_read_and_change_nothing(documents: Documents) -> None:
    number = (await documents.upload(OLGA, file("plan.pdf", PDF), Filing())).version.document_id
    assert await documents.find(KARL, Wish()) == ([], 0)
    assert await documents.of(KARL, ASSET, "x") == []
    for attempt in (
        documents.told(KARL, number),
        documents.open(KARL, number),
        documents.remove(KARL, number, reason="mine"),
        documents.add_version(KARL, number, file("b.pdf", PDF)),
        documents.tie(KARL, number, FURNACE),
        documents.change(KARL, number, title="x", labels=[], retention=None),
    ):
        with pytest.raises(NotFoundError):
            await attempt
    assert (await documents.find(ANNA, Wish()))[1] == 1


async def test_the_parks_own_documents_are_not_seen_by_tenants_and_a_tenants_can_be_filed_for_it(
    documents: Documents,
) -> None:
    await documents.upload(ANNA, file("park.pdf", PDF), Filing())
    await documents.upload(ANNA, file("copper.pdf", PDF), Filing(tenant="copper"))
    await documents.upload(OLGA, file("own.pdf", PDF), Filing(tenant="carbon"))  # hers all the same
    assert {one.document.title for one in (await documents.find(OLGA, Wish()))[0]} == {"copper.pdf", "own.pdf"}
    assert await documents.find(KARL, Wish()) == ([], 0)


@pytest.mark.parametrize(
    ("incoming", "error"),
    [
        (lambda: file("empty.pdf"), DocumentEmptyError),
        (lambda: file("announced.pdf", PDF, expected=2_000_001), DocumentTooLargeError),
        (lambda: file("lies.pdf", PDF, *[bytes(1000)] * 2000, expected=1000), DocumentTooLargeError),
        (lambda: file("short.pdf", PDF, expected=len(PDF) + 1), DocumentCutShortError),
        (lambda: file("tool.pdf", b"MZ\x90\x00" + bytes(500)), DocumentTypeError),
        (lambda: file("tool.pdf", b"\x7fELF" + bytes(1_500_000)), DocumentTypeError),
    ],
)
async def test_what_is_refused_leaves_nothing(
    documents: Documents, files: Files, incoming: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await documents.upload(OLGA, incoming(), Filing())  # type: ignore[operator]
    assert await names_in(files) == []
    assert (await documents.find(OLGA, Wish()))[1] == 0


async def test_who_breaks_off_leaves_nothing(documents: Documents, files: Files) -> None:
    async def broken():  # type: ignore[no-untyped-def]
        yield PDF + bytes(1_200_000)
        raise ConnectionResetError("the browser went away")

    incoming = file("plan.pdf")
    with pytest.raises(ConnectionResetError):
        await documents.upload(OLGA, type(incoming)("plan.pdf", broken(), 2_000_000), Filing())
    assert await names_in(files) == []
    assert (await documents.find(OLGA, Wish()))[1] == 0


async def test_an_archive_that_would_unpack_to_very_much_is_just_a_file(documents: Documents) -> None:
    bomb = b"PK\x03\x04" + bytes(26) + b"42.zip" + bytes(100_000)
    stored = await documents.upload(OLGA, file("42.zip", bomb), Filing())
    assert (stored.version.media_type, stored.version.size) == ("application/zip", len(bomb))


async def test_the_same_file_is_told(documents: Documents) -> None:
    first = await documents.upload(OLGA, file("plan.pdf", PDF), Filing())
    assert list(first.same) == []
    again = await documents.upload(OLGA, file("copy.pdf", PDF), Filing())
    assert [one.id for one in again.same] == [first.version.document_id]
    assert list((await documents.upload(KARL, file("theirs.pdf", PDF), Filing())).same) == []
    version = await documents.add_version(OLGA, again.version.document_id, file("copy.pdf", PDF))
    assert [one.id for one in version.same] == [first.version.document_id, again.version.document_id]


async def test_versions_follow_one_another_and_going_back_makes_a_new_one(documents: Documents) -> None:
    number = (await documents.upload(OLGA, file("plan.pdf", PDF), Filing())).version.document_id
    await documents.add_version(OLGA, number, file("plan-b.png", PNG), comment="redrawn")
    back = await documents.go_back(OLGA, number, 1)
    told = await documents.told(OLGA, number)
    assert [(one.number, one.file_name) for one in told.versions] == [
        (3, "plan.pdf"),
        (2, "plan-b.png"),
        (1, "plan.pdf"),
    ]
    assert await read(documents, back) == PDF
    with pytest.raises(DocumentChangeError, match="newest already"):
        await documents.go_back(OLGA, number, 3)
    with pytest.raises(NotFoundError):
        await documents.go_back(OLGA, number, 9)


async def test_two_versions_at_once_are_both_kept(documents: Documents) -> None:
    number = (await documents.upload(OLGA, file("plan.pdf", PDF), Filing())).version.document_id
    both = await asyncio.gather(
        *(documents.add_version(OLGA, number, file(f"{who}.pdf", PDF + who.encode())) for who in ("one", "two"))
    )
    assert sorted(one.version.number for one in both) == [2, 3]
    told = await documents.told(OLGA, number)
    assert {one.file_name for one in told.versions[:2]} == {"one.pdf", "two.pdf"}
    assert told.document.newest == 3


async def test_documents_are_found_by_what_they_are_called_labelled_and_about(documents: Documents) -> None:
    await documents.upload(
        OLGA, file("a.pdf", PDF), Filing("P&ID of the bath", ["Drawing", "100%"], subjects=[FURNACE])
    )
    await documents.upload(OLGA, file("photo.png", PNG), Filing("Photo"))
    await documents.upload(OLGA, file("=cmd()", b"a,b\n1,2\n"), Filing())

    async def titles(**wish: object) -> list[str]:
        found, total = await documents.find(OLGA, Wish(sort="title", is_descending=False, **wish))  # type: ignore[arg-type]
        assert len(found) == total
        return [one.document.title for one in found]

    assert await titles() == ["=cmd()", "P&ID of the bath", "Photo"]
    assert await titles(text="BATH p&id") == ["P&ID of the bath"]
    assert await titles(text="熔炼") == ["P&ID of the bath"]
    assert await titles(text="100%") == ["P&ID of the bath"]
    assert await titles(text="%") == ["P&ID of the bath"]
    assert await titles(text="drawing photo") == []
    assert await titles(text="olga") == ["=cmd()", "P&ID of the bath", "Photo"]
    assert await titles(kind=Kind.IMAGE) == ["Photo"]
    assert await titles(kind=Kind.TEXT) == ["=cmd()"]
    assert await titles(kind=Kind.OTHER) == []
    assert await titles(asset="smelter.smelting") == ["P&ID of the bath"]
    assert await titles(asset="smelter.smelt") == []
    assert await titles(person="karl") == []
    assert [one.document.title for one in await documents.of(OLGA, ASSET, FURNACE.subject)] == ["P&ID of the bath"]


async def test_a_document_is_tied_and_untied(documents: Documents) -> None:
    number = (await documents.upload(OLGA, file("a.pdf", PDF), Filing())).version.document_id
    await documents.tie(OLGA, number, FURNACE)
    await documents.tie(OLGA, number, FURNACE)
    await documents.tie(OLGA, number, Subject("alarm", "4711"))
    links = (await documents.told(OLGA, number)).links
    assert [(one.kind, one.subject) for one in links] == [("alarm", "4711"), (ASSET, FURNACE.subject)]
    await documents.untie(OLGA, number, ASSET, FURNACE.subject)
    assert (await documents.find(OLGA, Wish("熔炼炉")))[1] == 0


async def test_filing_is_checked_and_changes_what_it_is_found_by(documents: Documents) -> None:
    number = (await documents.upload(OLGA, file("a.pdf", PDF), Filing())).version.document_id
    await documents.change(OLGA, number, title="  New \n title ", labels=["a", " a", ""], retention="record")
    told = await documents.told(OLGA, number)
    assert (told.document.title, told.document.labels) == ("New title", ["a"])
    assert told.goes_at == told.document.changed_at + timedelta(days=3650)
    assert (await documents.find(OLGA, Wish("new title")))[1] == 1
    for wrong in ({"title": " "}, {"title": "x" * 201}, {"labels": ["y" * 61]}, {"retention": "unknown"}):
        wish = {"title": "t", "labels": [], "retention": None} | wrong
        with pytest.raises(DocumentChangeError):
            await documents.change(OLGA, number, **wish)  # type: ignore[arg-type]


async def test_what_is_removed_can_be_restored_for_30_days_and_is_gone_then(database: Database, files: Files) -> None:
    clock = Clock()
    documents = Documents(database, files, RULES, now=clock)
    first, second = [
        (await documents.upload(OLGA, file("a.pdf", PDF + name), Filing())).version.document_id for name in (b"1", b"2")
    ]
    with pytest.raises(DocumentChangeError, match="why"):
        await documents.remove(OLGA, first, reason=" ")
    for one in (first, second):
        await documents.remove(OLGA, one, reason="Replaced")
    with pytest.raises(DocumentChangeError, match="restore it first"):
        await documents.add_version(OLGA, first, file("b.pdf", PDF))
    assert (await documents.find(OLGA, Wish()))[1] == 0
    assert (await documents.find(OLGA, Wish(is_removed=True)))[1] == 2
    clock.at += timedelta(days=29)
    await documents.restore(OLGA, first)
    assert await documents.upkeep.sweep() == Swept(0, 0, 0)
    clock.at += timedelta(days=2)
    with pytest.raises(DocumentChangeError, match="more than 30 days"):
        await documents.restore(OLGA, second)
    assert (await documents.upkeep.sweep()).purged == 1
    with pytest.raises(NotFoundError):
        await documents.told(OLGA, second)
    assert len(await names_in(files)) == 1
    assert await read(documents, await documents.open(OLGA, first)) == PDF + b"1"


async def test_retention_removes_by_class_after_showing_what_would_go(database: Database, files: Files) -> None:
    clock = Clock()
    documents = Documents(database, files, RULES, now=clock)
    for title, retention in (("note", "working"), ("certificate", "record"), ("kept", None)):
        await documents.upload(OLGA, file("a.pdf", PDF), Filing(title, retention=retention))
    assert await documents.expired(OLGA) == []
    clock.at += timedelta(days=31)
    (going,) = await documents.expired(OLGA)
    assert going.document.title == "note"
    assert await documents.expired(KARL) == []
    assert (await documents.upkeep.sweep()).retired == 1
    (removed,), _total = await documents.find(OLGA, Wish(is_removed=True))
    assert (removed.document.removal, removed.document.removed_by) == ("working: 30 d", "documents")
    await documents.restore(OLGA, removed.document.id)
    assert await documents.upkeep.sweep() == Swept(0, 0, 0)  # it is kept now, for ever


async def test_a_file_without_a_row_is_swept_after_a_day_and_one_with_a_row_never(
    database: Database, files: Files, documents: Documents
) -> None:
    await documents.upload(OLGA, file("a.pdf", PDF), Filing())
    await files.put("documents/ab/abandoned", b"left by a crash")
    await files.put("waveforms/x", b"somebody else's")
    assert (await documents.upkeep.sweep()).orphans == 0  # it may be on its way still
    clock = Clock()
    clock.at = (await documents.find(OLGA, Wish()))[0][0].document.made_at + timedelta(days=2)
    later = Documents(database, files, Rules(1, (), {}), now=clock)
    assert (await later.upkeep.sweep()).orphans == 1
    assert len(await names_in(files)) == 1
    assert await files.get("waveforms/x") == b"somebody else's"


async def test_a_nul_in_a_text_does_no_harm(documents: Documents) -> None:
    filing = Filing("a\0b", ["c\0d"], subjects=[Subject("alarm", "1\x002", "x\0y")])
    number = (await documents.upload(OLGA, file("e\0f.pdf", PDF), filing)).version.document_id
    await documents.add_version(OLGA, number, file("g.pdf", PDF), comment="h\0i")
    await documents.tie(OLGA, number, Subject("alarm", "3\x004"))
    await documents.untie(OLGA, number, "alarm", "3\x004")
    assert len((await documents.told(OLGA, number)).links) == 1
    assert (await documents.find(OLGA, Wish("q\0d", person="k\0l", asset="m\0n")))[1] == 0
    assert len(await documents.of(OLGA, "alarm", "1\x002")) == 1
    await documents.remove(OLGA, number, reason="o\0p")


@pytest.mark.parametrize("number", [0, -1, 2**31, 2**70])
async def test_a_number_that_no_document_can_have_is_not_found(documents: Documents, number: int) -> None:
    with pytest.raises(NotFoundError):
        await documents.told(OLGA, number)
