"""The master alarm database out to Excel and in again: what is broken is explained row by row, the rest comes in."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine
import xlsxwriter

from athanor.kernel.alarms.rule import (
    Category,
    Cusum,
    Deviation,
    Expression,
    Hours,
    InState,
    Limit,
    Priority,
    Reported,
    Rule,
    Side,
    Subject,
)
from athanor.kernel.alarms.rulebook import KeptRule, RuleBook
from athanor.kernel.alarms.rules_sheet import RowFault, SheetTrial, What, as_excel, read_trial
from athanor.kernel.alarms.sheet_columns import BadCellError, schedule, schedule_text
from athanor.kernel.database.database import Database
from athanor.kernel.transfer.errors import BadFileError
from tests.kernel.alarms.rule_plants import ENGINEER, plant

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
PUMP = "copper.pump0.flow"


def kept(key: str, rule: Rule) -> KeptRule:
    return KeptRule(1, None, key, rule, 3, True, "li.na", NOW, "li.na", NOW, None)


def rule(condition: Any, **more: Any) -> Rule:
    return Rule(name={"en": "A rule", "zh_CN": "规则"}, subject=Subject(tag=PUMP), condition=condition, **more)


RULES = {
    "limit": rule(Limit(side=Side.LOW, at=12.5, deadband=1), on_delay_s=5, priority=Priority.HIGH),
    "deviation": rule(Deviation(reference=".flow", at=3, side="either")),
    "states": Rule(
        name={"en": "Stopped"},
        subject=Subject(type="pump", tag="running"),
        condition=InState(states=(0, "OFF"), is_in=False),
    ),
    "cusum": rule(Cusum(mean=1, sigma=0.5)),
    "formula": rule(Expression(formula="-{.flow} < 3"), suppressed_while="{.running} == 0", note="=1+1"),
    "full": rule(
        Limit(side=Side.HIGH, at=180),
        category=Category.SAFETY,
        consequence={"en": "Pipe bursts", "zh_CN": "管道破裂"},
        action={"en": "Close V-12", "zh_CN": "关闭 V-12"},
        respond_within_s=300,
        owner="li.na",
        is_safety=True,
        is_latched=True,
        repeats_after_s=3600,
        schedule=(Hours(days=(0, 1, 2, 3, 4), from_minute=360, to_minute=1320), Hours(from_minute=0, to_minute=60)),
        camera="copper.furnace",
        documents=(4, 7),
    ),
    "reported": Rule(name={"en": "Intrusion"}, subject=Subject(node="copper.furnace"), condition=Reported()),
}


def write(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path


def trial(path: Path, known: dict[str, KeptRule] | None = None) -> SheetTrial:
    book = RuleBook(Database("sqlite+aiosqlite://"), plant)  # nothing is kept in it
    return read_trial(path, path.name, known or {}, lambda key, one: book.check(key, one, None))


@pytest.mark.parametrize("is_chinese", [True, False])
def test_what_goes_out_comes_in_the_same(tmp_path: Path, is_chinese: bool) -> None:
    path = tmp_path / "rules.xlsx"
    path.write_bytes(as_excel([kept(key, one) for key, one in RULES.items()], is_chinese=is_chinese))
    found = trial(path, {key: kept(key, one) for key, one in RULES.items()})
    assert found.faults == []
    assert {one.key: one.rule for one in found.rules} == RULES
    assert {one.what for one in found.rules} == {What.SAME}


def test_no_text_of_a_sheet_is_run_as_a_formula() -> None:
    book = calamine.load_workbook(io.BytesIO(as_excel([kept("formula", RULES["formula"])], is_chinese=False)))
    cells = [cell for row in book.get_sheet_by_index(0).to_python() for cell in row]
    assert "'=1+1" in cells
    assert "=1+1" not in cells


async def test_of_ten_thousand_rows_the_fifty_broken_ones_are_explained_and_the_others_come_in(
    tmp_path: Path, database: Database
) -> None:
    broken: list[list[Any]] = [
        ["", "Nameless", PUMP, "limit", "low", 5, "high"],
        ["no-tag", "Tag is gone", "copper.gone.flow", "limit", "low", 5, "high"],
        ["no-number", "Limit is a word", PUMP, "limit", "low", "five", "high"],
        ["no-kind", "Kind is wrong", PUMP, "limitt", "low", 5, "high"],
        ["no-side", "Side is missing", PUMP, "limit", "", 5, "high"],
        ["no-priority", "Priority is wrong", PUMP, "limit", "low", 5, "urgent"],
        ["on-text", "On text", "copper.furnace.grade", "limit", "low", 5, "high"],
        ["beyond", "Beyond the range", PUMP, "limit", "high", 900, "high"],
        ["Bad Key!", "Bad key", PUMP, "limit", "low", 5, "high"],
        ["rule-0", "Key twice", PUMP, "limit", "low", 5, "high"],
    ] * 5
    fixed = ("", "Bad Key!", "rule-0")
    faulty = [[key if key in fixed else f"{key}-{n}", *rest] for n, (key, *rest) in enumerate(broken)]
    good = [[f"rule-{n}", f"Rule {n}", PUMP, "limit", "low", 5 + n % 10, "low"] for n in range(9950)]
    header: list[Any] = ["Key", "Name (English)", "Tag", "Kind", "Side", "Limit", "Priority"]
    found = trial(write(tmp_path / "rules.xlsx", [header, *good, *faulty]))
    assert (len(found.rules), len(found.faults)) == (9950, 50)
    first = {fault.column: fault for fault in found.faults[:10]}
    assert set(first) == {"Key", "Tag", "Limit", "Kind", "Side", "Priority"}
    assert found.faults[0] == RowFault(9952, "Key", "The key is empty. Give each rule one of its own.")
    assert "no tag copper.gone.flow" in found.faults[1].text
    assert "'five' is no number" in found.faults[2].text
    assert all(fault.text.rstrip().endswith(".") for fault in found.faults)
    book = RuleBook(database, plant, lambda: NOW)
    rules = [(one.key, one.rule, one.is_enabled) for one in found.rules]
    assert await book.save_many(ENGINEER, rules, tenant=None, reason="HAZOP") == 9950
    assert await book.save_many(ENGINEER, rules, tenant=None, reason="again") == 0
    assert len(await book.all(ENGINEER)) == 9950


def test_a_condition_that_lacks_or_has_what_it_may_not_is_told_by_its_column(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["key", "name_en", "tag", "node", "kind", "side", "at", "formula", "states"],
        ["a", "A", PUMP, "", "limit", "low", "", "1 > 2", ""],
        ["b", "B", PUMP, "copper.furnace", "limit", "low", 3, "", ""],
        ["c", "C", "copper.furnace.mode", "", "state", "", "", "", ""],
        ["d", "", PUMP, "", "limit", "low", 3, "", ""],
        ["e", "E", PUMP, "", "", "low", 3, "", ""],
    ]
    found = trial(write(tmp_path / "rules.xlsx", rows))
    assert found.rules == []
    assert [(one.row, one.column) for one in found.faults] == [
        (2, "formula"),
        (3, "tag"),
        (4, "states"),
        (5, "name_en"),
        (6, "kind"),
    ]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([["Key", "Prioritty"]], "Did you mean 'Priority'"),
        ([["Name (English)"], ["x"]], "no column 'Key'"),
        ([["Key", "Key"], ["a", "b"]], "twice"),
    ],
)
def test_a_sheet_that_is_none_of_rules_is_refused_with_the_cure(
    tmp_path: Path, rows: list[list[str]], text: str
) -> None:
    with pytest.raises(BadFileError, match=text):
        trial(write(tmp_path / "rules.xlsx", rows))


def test_a_file_that_is_no_sheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rules.xlsx"
    path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(BadFileError):
        trial(path)


@pytest.mark.parametrize(
    ("cell", "again"),
    [
        ("Mon-Fri 06:00-22:00", "Mon, Tue, Wed, Thu, Fri 06:00-22:00"),
        ("22:00-06:00; Sat 06:00-24:00", "22:00-06:00; Sat 06:00-24:00"),
        ("Sat-Mon 00:00-24:00", "Mon, Sat, Sun 00:00-24:00"),
    ],
)
def test_hours_are_written_as_a_person_says_them(cell: str, again: str) -> None:
    assert schedule_text(schedule(cell)) == again
    assert schedule(again) == schedule(cell)


@pytest.mark.parametrize(
    "cell", ["always", "Mon 25:00-26:00", "Moo 06:00-07:00", "06:00-06:75", "Mon-Tue-Wed 1:00-2:00"]
)
def test_hours_that_are_none_are_refused(cell: str) -> None:
    with pytest.raises(BadCellError):
        schedule(cell)
