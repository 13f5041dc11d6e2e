"""The search for viruses, with real scanners: a server that speaks clamd's protocol, and a command."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from athanor.kernel.database.database import Database
from athanor.kernel.documents.errors import InfectedError, QuarantinedError, ScannerFailedError
from athanor.kernel.documents.records import Filing
from athanor.kernel.documents.scanning import ClamdScanner, CommandScanner, Scanner
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import Scan
from athanor.kernel.files.port import Files
from athanor.kernel.identity.audit import verify
from athanor.kernel.identity.tables import AuditRow

from .clamd import Clamd
from .sending import ANNA, EICAR, OLGA, PDF, RULES, file, read

COMMAND = """
import pathlib, sys
path = pathlib.Path(sys.argv[-1])
content = path.read_bytes()
if b"EICAR-STANDARD-ANTIVIRUS" in content:
    print(f"{path}: Eicar-Test-Signature FOUND")
    sys.exit(1)
sys.exit(2 if b"confuses scanners" in content else 0)
"""


async def pieces(*some: bytes) -> AsyncIterator[bytes]:
    for one in some:
        yield one


@pytest.fixture(params=["clamd over TCP", "clamd over a socket", "command"])
async def scanner(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Scanner]:
    if request.param == "command":
        yield CommandScanner((sys.executable, "-I", "-c", COMMAND), tmp_path / "scanning", timeout_s=20)
        assert list((tmp_path / "scanning").iterdir()) == []
        return
    clamd = Clamd()
    yield ClamdScanner(await clamd.start(tmp_path / "clamd" if "socket" in request.param else None), timeout_s=20)
    await clamd.stop()


async def test_a_virus_is_named_and_a_clean_file_passes(scanner: Scanner) -> None:
    assert await scanner.scan(pieces(EICAR[:30], EICAR[30:])) == "Eicar-Test-Signature"
    assert await scanner.scan(pieces(PDF, bytes(700_000))) is None


async def test_a_scanner_that_is_not_there_says_so(tmp_path: Path) -> None:
    for absent in (
        ClamdScanner(f"unix://{tmp_path}/nothing", timeout_s=5),
        ClamdScanner("tcp://127.0.0.1:1", timeout_s=5),
        CommandScanner((str(tmp_path / "nothing"),), tmp_path / "scanning", timeout_s=5),
    ):
        with pytest.raises(ScannerFailedError):
            await absent.scan(pieces(PDF))


async def test_a_scanner_that_fails_hangs_or_takes_no_more_finds_nothing_clean(tmp_path: Path) -> None:
    confused = CommandScanner((sys.executable, "-I", "-c", COMMAND), tmp_path / "scanning", timeout_s=20)
    with pytest.raises(ScannerFailedError, match="ended with 2"):
        await confused.scan(pieces(b"confuses scanners"))
    slow = CommandScanner((sys.executable, "-c", "import time; time.sleep(60)"), tmp_path / "scanning", timeout_s=0.3)
    with pytest.raises(ScannerFailedError, match=r"more than 0\.3 s"):
        await slow.scan(pieces(PDF))
    for clamd, timeout_s, said in (
        (Clamd(most_bytes=1000), 5, "size limit"),
        (Clamd(is_silent=True), 0.3, "more than"),
    ):
        with pytest.raises(ScannerFailedError, match=said):
            await ClamdScanner(await clamd.start(), timeout_s=timeout_s).scan(pieces(PDF, bytes(2000)))
        await clamd.stop()


@pytest.fixture
async def clamd() -> AsyncIterator[Clamd]:
    running = Clamd()
    yield running
    await running.stop()


async def test_a_file_is_in_quarantine_until_it_is_scanned(database: Database, files: Files, clamd: Clamd) -> None:
    documents = Documents(database, files, RULES, ClamdScanner(await clamd.start(), timeout_s=5))
    clamd.may_answer.clear()
    stored = await documents.upload(OLGA, file("plan.pdf", PDF), Filing())
    number = stored.version.document_id
    assert stored.version.scan == Scan.PENDING
    with pytest.raises(QuarantinedError):
        await documents.open(OLGA, number)
    with pytest.raises(QuarantinedError):
        await documents.open(OLGA, number, from_quarantine=True)  # she is no administrator
    early = await documents.open(ANNA, number, from_quarantine=True)
    assert await read(documents, early) == PDF
    clamd.may_answer.set()
    await documents.upkeep.scan_waiting()
    assert (await documents.open(OLGA, number)).scan == Scan.CLEAN
    async with database.reading() as session:
        taken = select(AuditRow.actor).where(AuditRow.action == "documents.taken-from-quarantine")
        assert (await session.scalars(taken)).all() == ["anna"]
    await documents.close()


async def test_an_infected_file_is_kept_from_everybody_but_named(
    database: Database, files: Files, clamd: Clamd
) -> None:
    documents = Documents(database, files, RULES, ClamdScanner(await clamd.start(), timeout_s=5))
    number = (await documents.upload(OLGA, file("safe.pdf", PDF), Filing())).version.document_id
    await documents.add_version(OLGA, number, file("bad.txt", EICAR))
    await documents.upkeep.scan_waiting()
    (infected, clean) = (await documents.told(OLGA, number)).versions
    assert (infected.scan, infected.finding, clean.scan) == (Scan.INFECTED, "Eicar-Test-Signature", Scan.CLEAN)
    for viewer in (OLGA, ANNA):
        with pytest.raises(InfectedError, match="Eicar"):
            await documents.open(viewer, number, from_quarantine=True)
    back = await documents.go_back(OLGA, number, 1)
    with pytest.raises(InfectedError):
        await documents.go_back(OLGA, number, 2)
    assert back.scan == Scan.CLEAN
    async with database.reading() as session:
        refused = select(AuditRow.action).where(AuditRow.action.like("documents.%infected%"))
        assert len((await session.scalars(refused)).all()) == 3  # found once, refused twice
    assert (await verify(database)).is_whole
    await documents.close()


async def test_what_waits_while_the_scanner_is_away_is_scanned_when_it_is_back(
    database: Database, files: Files, tmp_path: Path
) -> None:
    socket = tmp_path / "clamd"
    documents = Documents(database, files, RULES, ClamdScanner(f"unix://{socket}", timeout_s=5))
    number = (await documents.upload(OLGA, file("plan.pdf", PDF), Filing())).version.document_id
    assert await documents.upkeep.scan_waiting() == 0
    with pytest.raises(QuarantinedError):
        await documents.open(OLGA, number)
    clamd = Clamd()
    await clamd.start(socket)
    await documents.upkeep.scan_waiting()
    assert (await documents.open(OLGA, number)).scan == Scan.CLEAN
    await clamd.stop()
    await documents.close()


async def test_a_file_that_the_scanner_refuses_holds_up_no_other(database: Database, files: Files) -> None:
    clamd = Clamd(most_bytes=1000)
    documents = Documents(database, files, RULES, ClamdScanner(await clamd.start(), timeout_s=5))
    large = (await documents.upload(OLGA, file("large.pdf", PDF, bytes(5000)), Filing())).version.document_id
    small = (await documents.upload(OLGA, file("small.pdf", PDF), Filing())).version.document_id
    await documents.upkeep.scan_waiting()
    assert (await documents.open(OLGA, small)).scan == Scan.CLEAN
    with pytest.raises(QuarantinedError):
        await documents.open(OLGA, large)
    await clamd.stop()
    await documents.close()
