"""docs/historian.md says what is so: every rule names tests, every test it names exists, every setting too."""

import re
from pathlib import Path

from athanor.kernel.historian.lake import TAGS
from athanor.kernel.historian.layout import SEALED
from athanor.kernel.historian.rollupfiles import ROLLUPS
from athanor.kernel.sections import HistorianSettings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "historian.md").read_text(encoding="utf-8")
RULES = re.findall(r"^(\d+)\. (.+)$", PAGE, re.MULTILINE)


def test_rules_are_numbered_without_a_hole() -> None:
    assert [int(number) for number, _ in RULES] == list(range(1, len(RULES) + 1))
    assert len(RULES) >= 14


def test_every_rule_names_tests_that_exist() -> None:
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for number, rule in RULES:
        named = set(re.findall(r"`(test_\w+)`", rule))
        assert named, f"rule {number} names no test"
        assert named - defined == set(), f"rule {number} names tests that are not there"


def test_columns_are_those_of_the_tables() -> None:
    samples, rollups = (
        part.split("\n\n", 2)[0] for part in re.split(r"^\| column of .*$", PAGE, flags=re.MULTILINE)[1:]
    )
    assert _columns(samples) == [*SEALED.names, "day"]
    assert sorted(_columns(rollups)) == sorted(ROLLUPS.schema.names)
    assert [name for name in TAGS.names if f"`{name}`" not in PAGE] == []


def _columns(rows: str) -> list[str]:
    """The names in the first cells of a table."""
    cells = re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_settings_that_it_names_exist() -> None:
    assert set(re.findall(r"`historian\.(\w+)`", PAGE)) <= {*HistorianSettings.model_fields}
