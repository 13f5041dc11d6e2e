"""Reading the trail: what is asked for, by whom, a page at a time; and files of it that an outsider can check."""

import asyncio
import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity import trail
from athanor.kernel.identity.audit import NOTHING, content_of, record, verify
from athanor.kernel.identity.refusals import EACH, REFUSED, Refusals
from athanor.kernel.identity.tables import UserRow
from athanor.kernel.identity.trail import Entry, Link, Wanted
from athanor.kernel.identity.trail_file import BadTrailFileError, TrailForm, begin, verify_file, written
from athanor.kernel.identity.user import User

DAY = datetime(2026, 5, 4, tzinfo=UTC)
COPPER = frozenset({"copper"})
ALL = Wanted()


@pytest.fixture
async def filled(database: Database) -> Database:
    """Ten entries of anna of the park and of chen of copper, an hour apart."""
    async with database.session() as session:
        for login, tenant in (("anna", None), ("chen", "copper")):
            session.add(
                UserRow(
                    login=login, name=login, roles=["administrator"], tenant=tenant, password_hash="", created_at=DAY
                )
            )
        for number in range(10):
            record(
                session,
                ("anna", "chen")[number % 2],
                ("test.made", "test.removed")[number % 3 == 0],
                f"pump_{number}",
                address=f"10.0.0.{number % 4}",
                detail={"why": "Überprüfung 50%" if number == 7 else "=1+1"},
                at=DAY + timedelta(hours=number),
            )
    return database


async def subjects(database: Database, wanted: Wanted, tenants: frozenset[str] | None = None) -> list[int]:
    async with database.reading() as session:
        entries = await trail.newest(session, wanted, tenants, limit=100)
        assert await trail.count(session, wanted, tenants) == len(entries)
    return [int(entry.subject.removeprefix("pump_")) for entry in entries]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (Wanted(actor="chen"), [9, 7, 5, 3, 1]),
        (Wanted(actor="che"), []),
        (Wanted(actions=frozenset({"test.removed"})), [9, 6, 3, 0]),
        (Wanted(subject="P_7"), [7]),
        (Wanted(subject="p%7"), []),
        (Wanted(address="0.3"), [7, 3]),
        (Wanted(text="50%"), [7]),
        (Wanted(text="berprüf"), [7]),
        (Wanted(text="' OR 1=1 --"), []),
        (Wanted(start=DAY + timedelta(hours=2), end=DAY + timedelta(hours=4)), [3, 2]),
        (Wanted(actor="anna", actions=frozenset({"test.removed"})), [6, 0]),
    ],
)
async def test_entries_are_found_by_each_of_their_parts(filled: Database, wanted: Wanted, found: list[int]) -> None:
    assert await subjects(filled, wanted) == found


async def test_an_enterprise_sees_what_its_own_people_did(filled: Database) -> None:
    assert await subjects(filled, Wanted(), COPPER) == [9, 7, 5, 3, 1]
    assert await subjects(filled, Wanted(actor="anna"), COPPER) == []
    async with filled.reading() as session:
        of_anna = (await trail.newest(session, Wanted(actor="anna"), None, limit=1))[0]
        assert (await trail.one(session, of_anna.id, None)).entry == of_anna
        with pytest.raises(NotFoundError):
            await trail.one(session, of_anna.id, COPPER)


async def test_an_enterprise_that_calls_somebody_like_a_process_does_not_see_what_that_did(filled: Database) -> None:
    async with filled.session() as session:
        session.add(UserRow(login="system", name="", roles=[], tenant="copper", password_hash="", created_at=DAY))
        record(session, "system", "test.made", "pump_10")
    assert await subjects(filled, Wanted(actor="system")) == [10]
    assert await subjects(filled, Wanted(actor="system"), COPPER) == []


async def test_pages_follow_each_other_while_the_trail_grows(filled: Database) -> None:
    async with filled.reading() as session:
        first = await trail.newest(session, Wanted(), None, limit=4)
    async with filled.session() as session:
        record(session, "anna", "test.made", "pump_10")
    async with filled.reading() as session:
        second = await trail.newest(session, Wanted(), None, limit=4, before=first[-1].id)
    assert [entry.subject for entry in (*first, *second)] == [f"pump_{number}" for number in range(9, 1, -1)]


async def test_only_the_first_sign_in_from_an_address_is_from_a_new_one(database: Database) -> None:
    async with database.session() as session:
        for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1", ""):
            record(session, "anna", trail.SIGNED_IN, "anna", address=address)
        record(session, "bert", trail.SIGNED_IN, "bert", address="10.0.0.1")
    async with database.reading() as session:
        entries = await trail.newest(session, Wanted(), None, limit=10)
        new = await trail.from_new_addresses(session, entries)
    assert [(entry.actor, entry.address) for entry in reversed(entries) if entry.id in new] == [
        ("anna", "10.0.0.1"), ("anna", "10.0.0.2"), ("bert", "10.0.0.1"),
    ]  # fmt: skip


async def exported(database: Database, file: Path, wanted: Wanted = ALL, tenants: frozenset[str] | None = None) -> Path:
    form = TrailForm(file.suffix[1:])
    pieces = [begin(form)]
    pieces += [written(piece, form) async for piece in trail.oldest(database, wanted, tenants)]
    await asyncio.to_thread(file.write_bytes, b"".join(pieces))
    return file


@pytest.mark.parametrize("form", TrailForm)
async def test_an_exported_file_proves_itself(filled: Database, tmp_path: Path, form: TrailForm) -> None:
    file = await exported(filled, tmp_path / f"trail.{form}")
    verified = verify_file(file)
    assert (verified.rows, verified.gaps, verified.fault) == (10, 0, None)
    assert verified.last == (await verify(filled)).chain


async def test_an_outsider_needs_nothing_of_ours_to_check_a_file(filled: Database, tmp_path: Path) -> None:
    file = await exported(filled, tmp_path / "trail.csv")
    chain = NOTHING
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            assert row["before"] == chain
            chain = hashlib.sha256((chain + row["content"]).encode()).hexdigest()
            assert row["chain"] == chain
            assert json.loads(row["content"])[1] == row["actor"]
    assert chain == (await verify(filled)).chain


async def test_what_is_changed_or_removed_in_a_file_shows(filled: Database, tmp_path: Path) -> None:
    file = await exported(filled, tmp_path / "trail.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()

    def fault(changed: list[str]) -> str:
        file.write_text("\n".join(changed) + "\n", encoding="utf-8")
        return verify_file(file).fault or ""

    assert "missing" in fault([*lines[:4], *lines[5:]])
    assert "missing" in fault([lines[1], lines[0]])
    assert "its chain" in fault([*lines[:4], lines[4].replace("anna", "bert")])
    only_the_column = json.loads(lines[4]) | {"actor": "bert"}
    assert "actor is not what its content says" in fault([*lines[:4], json.dumps(only_the_column)])


async def test_a_filtered_file_has_gaps_and_is_told_to(filled: Database, tmp_path: Path) -> None:
    file = await exported(filled, tmp_path / "trail.csv", Wanted(), COPPER)
    assert verify_file(file).fault is not None
    verified = verify_file(file, may_lack_entries=True)
    assert (verified.rows, verified.gaps, verified.fault) == (5, 4, None)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"{}\n", b"[1]\n", b"\xff\xfe", b'{"id": 1'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ("trail.csv" if b"," in content else "trail.jsonl")
    file.write_bytes(content)
    if content == b"":
        assert verify_file(file).rows == 0
    else:
        with pytest.raises(BadTrailFileError):
            verify_file(file)
    with pytest.raises(BadTrailFileError):
        verify_file(tmp_path / "trail.xlsx")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False)
details = st.dictionaries(texts, st.none() | numbers | texts, max_size=3)


@given(actor=texts, subject=texts, detail=details, form=st.sampled_from(TrailForm))
def test_whatever_an_entry_holds_it_is_read_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, actor: str, subject: str, detail: dict[str, object], form: TrailForm
) -> None:
    shown = {"at": DAY, "actor": actor, "action": "test.made", "subject": subject, "address": "", "detail": detail}
    chain = hashlib.sha256(NOTHING.encode() + content_of(shown)).hexdigest()
    link = Link(Entry(id=1, chain=chain, **shown), NOTHING)  # type: ignore[arg-type]
    file = tmp_path_factory.mktemp("trail") / f"trail.{form}"
    file.write_bytes(begin(form) + written([link], form))
    assert verify_file(file).fault is None


async def test_refusals_are_entered_so_sparingly_that_nobody_fills_the_disk(database: Database) -> None:
    now = [DAY]
    refusals = Refusals(database, lambda: now[0])
    user = User(1, "chen", "Chen", ("viewer",), "copper")
    for _number in range(1000):
        await refusals.note(user, "data.import", "/data", "10.0.0.7")
    async with database.reading() as session:
        entries = await trail.newest(session, Wanted(actions=frozenset({REFUSED})), None, limit=100)
    assert [entry.detail["in_this_hour"] for entry in entries][::-1] == [*range(1, EACH + 1), 20, 40, 80, 160, 320, 640]
    now[0] += timedelta(hours=1)
    await refusals.note(user, "data.import", "/data")
    async with database.reading() as session:
        newest = (await trail.newest(session, Wanted(), None, limit=1))[0]
    assert (newest.subject, newest.detail["in_this_hour"]) == ("data.import", 1)
