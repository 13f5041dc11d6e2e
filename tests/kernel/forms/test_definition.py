# ruff: noqa: E501 (tables of cases)
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.kernel.forms.building import imported
from athanor.kernel.forms.conditions import shown_fields, with_computed
from athanor.kernel.forms.definition import BadDefinitionError, Definition, read_definition
from athanor.kernel.forms.templates import templates
from athanor.kernel.forms.validation import faults_of, is_signature, sent_values


class Everything:
    def has_asset(self, path: str) -> bool:
        return path == "smelter"

    def has_tag(self, path: str) -> bool:
        return path == "smelter.power"

    def has_person(self, login: str) -> bool:
        return login == "anna"


def form(*fields: dict[str, Any]) -> Definition:
    return read_definition({"title": {"en": "Form"}, "fields": list(fields)})


def codes(definition: Definition, values: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault.field, fault.code) for fault in faults_of(definition, values, Everything())]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "valid dictionary"),
        ({"title": {}}, "it has no title"),
        ({"title": {"en": "a", "fr": "b"}}, "'fr' is no language"),
        ({"title": {"en": "a"}, "fields": [{"id": "A b", "kind": "text"}]}, "fields.0.id"),
        ({"title": {"en": "a"}, "fields": [{"id": "a", "kind": "video"}]}, "fields.0.kind"),
        ({"title": {"en": "a"}, "fields": [{"id": "a", "kind": "text"}, {"id": "a", "kind": "text"}]}, "two fields"),
        ({"title": {"en": "a"}, "fields": [{"id": "a", "kind": "choice"}]}, "nothing to choose"),
        ({"title": {"en": "a"}, "fields": [{"id": "a", "kind": "computed", "formula": "b"}]}, "uses b, which is no number"),
        ({"title": {"en": "a"}, "fields": [{"id": "a", "kind": "text", "shown_if": {"field": "b"}}]}, "no field before it"),
        ({"title": {"en": "a"}, "fields": [{"id": "a", "kind": "number", "min": 2, "max": 1}]}, "above its highest"),
        ({"title": {"en": "a"}, "steps": [{"id": "s", "who": "role"}]}, "does not say who"),
        ({"title": {"en": "a"}, "steps": [{"id": "s", "name": "x", "escalate_to": "y"}]}, "no time to be overdue"),
        ({"title": {"en": "a"}, "surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_a_form_that_does_not_hold_together_is_refused_by_its_place(content: object, says: str) -> None:
    with pytest.raises(BadDefinitionError, match=says):
        read_definition(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "no JSON"), (b"[]", "not of a form"), (b"\xff\xfe", "no JSON"), (b'{"format": "athanor-form"}', "format_version"),
        (b'{"format": "athanor-form", "format_version": 1}', "valid dictionary"), (b"x" * 600_000, "larger than"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_in_words(content: bytes, says: str) -> None:
    with pytest.raises(BadDefinitionError, match=says):
        imported(content)


@given(st.binary(max_size=200))
def test_no_bytes_are_taken_for_a_form(content: bytes) -> None:
    with pytest.raises(BadDefinitionError):
        imported(content)


def test_the_forms_to_start_from_are_whole() -> None:
    assert sorted(templates()) == ["hot-work-round", "product-output"]
    for definition in templates().values():
        for one in definition.fields:
            assert one.label["en"], one.id
            assert one.label["zh_CN"], one.id


def test_the_output_of_a_shift_is_the_sum_of_its_rows() -> None:
    sheet = templates()["product-output"]
    rows = [{"product": "blister", "quantity": 81.25}, {"product": "anode", "quantity": 40.5}]
    assert with_computed(sheet, {"products": rows})["total"] == pytest.approx(121.75)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ({"kind": "number", "min": 0, "max": 10}, -1, "too-low"), ({"kind": "number", "max": 10}, 10.1, "too-high"),
        ({"kind": "number"}, "twelve", "no-number"), ({"kind": "number"}, True, "no-number"),
        ({"kind": "text"}, "x" * 501, "too-long"), ({"kind": "text"}, 5, "unreadable"), ({"kind": "date"}, "2026-02-30", "no-date"),
        ({"kind": "moment"}, "2026-02-03T10:00", "no-moment"), ({"kind": "choice", "options": [{"value": "a"}]}, "b", "not-offered"),
        ({"kind": "choices", "options": [{"value": "a"}]}, ["a", "b"], "not-offered"), ({"kind": "yes_no"}, "yes", "unreadable"),
        ({"kind": "asset"}, "nowhere", "no-asset"), ({"kind": "tag"}, "smelter", "no-tag"), ({"kind": "person"}, "ghost", "no-person"),
        ({"kind": "position"}, {"lat": 91, "lon": 0, "accuracy_m": 1}, "unreadable"), ({"kind": "signature"}, "<svg onload=x>", "unreadable"),
        ({"kind": "table", "most": 1, "columns": [{"id": "c"}]}, [{"c": "1"}, {"c": "2"}], "too-many"),
        ({"kind": "table", "columns": [{"id": "c", "kind": "number"}]}, [{"c": "x"}], "row"), ({"kind": "text", "required": True}, "", "required"),
    ],
)  # fmt: skip
def test_a_value_that_will_not_do_is_named(field: dict[str, Any], value: object, code: str) -> None:
    definition = form({"id": "f", **field})
    assert codes(definition, {"f": value}) == [("f", code)]


def test_values_that_will_do_pass() -> None:
    definition = form(
        {"id": "n", "kind": "number", "min": 0}, {"id": "d", "kind": "date"}, {"id": "m", "kind": "moment"},
        {"id": "a", "kind": "asset"}, {"id": "t", "kind": "tag"}, {"id": "p", "kind": "person"}, {"id": "s", "kind": "signature"},
        {"id": "g", "kind": "position"}, {"id": "y", "kind": "yes_no", "required": True},
    )  # fmt: skip
    values = {
        "n": 0, "d": "2026-11-21", "m": "2026-11-21T08:00:00+08:00", "a": "smelter", "t": "smelter.power", "p": "anna",
        "s": "M10 20 L11 22 M5 5", "g": {"lat": 30.1, "lon": 117.8, "accuracy_m": 8.0}, "y": False,
    }  # fmt: skip
    assert codes(definition, values) == []


def test_what_is_not_shown_is_neither_asked_nor_kept() -> None:
    definition = form(
        {"id": "bad", "kind": "number"},
        {"id": "why", "kind": "text", "required": True, "shown_if": {"field": "bad", "op": "gt", "value": 0}},
        {"id": "more", "kind": "text", "shown_if": {"field": "why", "op": "filled"}},
    )
    assert codes(definition, {"bad": 1}) == [("why", "required")]
    hidden = {"bad": 0, "why": "old", "more": "older"}
    assert [one.id for one in shown_fields(definition, hidden)] == ["bad"]
    assert codes(definition, hidden) == []
    assert sent_values(definition, hidden) == {"bad": 0}


def test_a_forms_own_words_say_what_is_wrong() -> None:
    definition = form(
        {"id": "n", "kind": "number", "max": 1, "message": {"en": "At most one tonne.", "zh_CN": "不超过一吨。"}}
    )
    assert [fault.english for fault in faults_of(definition, {"n": 2}, Everything())] == ["At most one tonne."]


@given(st.text(max_size=40))
def test_a_signature_is_strokes_and_nothing_else(text: str) -> None:
    assert not is_signature(text) or set(text) <= set("ML0123456789- ")
