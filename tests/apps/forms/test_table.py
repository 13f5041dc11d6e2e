import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.apps.forms.services.table import as_csv, header, rows
from athanor.kernel.forms.definition import Definition, read_definition
from athanor.kernel.forms.flow import State
from athanor.kernel.forms.records import Entry

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
FORM = read_definition(
    {
        "title": {"en": "Sheet"},
        "fields": [
            {"id": "quantity", "kind": "number", "unit": "t", "label": {"en": "Quantity"}},
            {"id": "shift", "kind": "choice", "options": [{"value": "d", "label": {"en": "Day"}}]},
            {"id": "lots", "kind": "table", "columns": [{"id": "lot"}, {"id": "t", "kind": "number", "unit": "t"}]},
            {"id": "place", "kind": "position"},
            {"id": "read", "kind": "note", "label": {"en": "Read this"}},
            {"id": "remark", "kind": "text"},
        ],
    }
)


def english(text: dict[str, str]) -> str:
    return text.get("en", "")


def entry(definition: Definition, **values: object) -> Entry:
    return Entry(7, "copper", 1, 1, definition, "anna", "", State.APPROVED, 1, values, NOON, NOON, NOON, None)


def test_an_entry_is_a_row_on_the_sites_clock_with_labels_and_units() -> None:
    place = {"lat": 30.5, "lon": 117.25, "accuracy_m": 8}
    lots = [{"lot": "A1", "t": 2.5}, {"lot": "A2", "t": 3}]
    filled = entry(FORM, quantity=12.5, shift="d", lots=lots, place=place, remark="ok")
    assert header(FORM, english, ["id"]) == ["id", "Quantity [t]", "shift", "lots", "place", "remark"]
    assert list(rows(FORM, [filled], english, SHANGHAI)) == [
        [7.0, "approved", "anna", "2026-11-21 12:00", "", 12.5, "Day", "lot: A1; t: 2.5 t | lot: A2; t: 3 t",
         "30.5, 117.25 ±8 m", "ok"]
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
@given(rest=st.text(max_size=20))
def test_no_text_of_an_entry_begins_a_formula_in_csv(start: str, rest: str) -> None:
    written = as_csv(["h"], rows(FORM, [entry(FORM, remark=start + rest)], english, SHANGHAI)).decode("utf-8-sig")
    [_head, row] = csv.reader(io.StringIO(written, newline=""))
    assert row[-1].startswith("'")
