"""The builder's side panel: the settings of what is chosen, a field, a step, or the form itself."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from athanor.apps.forms.pages import wording
from athanor.apps.forms.pages.rows import TableRows
from athanor.apps.forms.pages.settings import Told, condition, line, number_line, switch, text_pair
from athanor.kernel.forms.deciders import People
from athanor.kernel.forms.definition import COLUMN_KINDS, Definition, FormField, Kind, Who, read_definition
from athanor.kernel.identity.user import ROLES
from athanor.web.components import Words, region
from athanor.web.components.fields import choice
from athanor.web.language import _

Part = dict[str, Any]
Changed = Callable[[Part], Awaitable[None]]  # called with the whole part as it is to be


def form_panel(content: Part, changed: Changed) -> None:
    """Title and description."""
    text_pair(_("Title"), content["title"], _setting(content, "title", changed), name="title")
    text_pair(_("Description"), content["description"], _setting(content, "description", changed), name="description")


def field_panel(part: Part, before: tuple[FormField, ...], changed: Changed) -> None:
    """One field; `before` are those above it, which it may depend on."""
    kind = Kind(part["kind"])

    def put(name: str) -> Told:
        return _setting(part, name, changed)

    text_pair(_("Text") if kind is Kind.NOTE else _("Label"), part["label"], put("label"), name="label")
    if kind is not Kind.NOTE:
        text_pair(_("Help"), part["help"], put("help"), name="help")
    if kind not in (Kind.NOTE, Kind.COMPUTED):
        switch(_("Must be filled in"), part["required"], put("required"), name="required")
    _of_kind(kind, part, before, put)
    condition(_("Shown if"), part["shown_if"], before, put("shown_if"), name="shown-if")
    if kind not in (Kind.NOTE, Kind.COMPUTED):
        text_pair(_("Said where it is wrong"), part["message"], put("message"), name="message")
    line(_("Id, for formulas and programs"), part["id"], put("id"), name="id")


def _of_kind(kind: Kind, part: Part, before: tuple[FormField, ...], put: Callable[[str], Told]) -> None:
    """The settings that only some kinds have."""
    if kind in (Kind.NUMBER, Kind.COMPUTED):
        line(_("Unit"), part["unit"], put("unit"), name="unit")
    if kind is Kind.NUMBER:
        number_line(_("Lowest value"), part["min"], put("min"), name="min")
        number_line(_("Highest value"), part["max"], put("max"), name="max")
    if kind in (Kind.CHOICE, Kind.CHOICES):
        _options(part, put("options"))
    if kind is Kind.TABLE:
        _columns(part, put("columns"))
    if kind in (Kind.TABLE, Kind.PHOTO):
        number_line(_("At most"), part["most"], put("most"), name="most")
    if kind is Kind.COMPUTED:
        line(_("Formula"), part["formula"], put("formula"), name="formula")
        names = [one.id for one in before if one.kind in (Kind.NUMBER, Kind.COMPUTED)]
        names += [
            f"sum({one.id}.{column.id})" for one in before for column in one.columns if column.kind is Kind.NUMBER
        ]
        Words(_("May use: {names}").format(names=", ".join(names) or _("no number field stands above")), "small")


def step_panel(part: Part, definition: Definition, people: People, changed: Changed, *, is_first: bool) -> None:
    """One step of the flow."""

    def put(name: str) -> Told:
        return _setting(part, name, changed)

    async def asked(who: str) -> None:
        first = {Who.ROLE: "engineer", Who.PERSON: next(iter(sorted(people.by_login)), ""), Who.POST: _("Head")}
        await changed({**part, "who": who, "name": first.get(Who(who), "")})

    text_pair(_("Title"), part["title"], put("title"), name="title")
    who = Who(part["who"])
    choice(_("Who decides"), {one.value: text for one, text in wording.deciders().items()}, who, asked, name="who")
    if who is Who.ROLE:
        choice(_("Role"), _roles(people, part["name"]), part["name"], put("name"), name="role")
    elif who is Who.PERSON:
        persons = {login: one.user.name or login for login, one in sorted(people.by_login.items())}
        choice(_("Person"), persons, part["name"], put("name"), name="person")
    elif who is Who.POST:
        line(_("Post, as in the accounts"), part["name"], put("name"), name="post")
    if not is_first:
        switch(_("At the same time as the step before"), part["together"], put("together"), name="together")
    switch(_("Approved with a signature"), part["signature"], put("signature"), name="signature")
    if who is not Who.AUTHOR:
        switch(_("The author may decide it too"), part["author_too"], put("author_too"), name="author-too")
    number_line(_("Due within [h]"), part["due_h"], put("due_h"), name="due")
    if part["due_h"] is not None:
        roles = {"": _("nobody"), **_roles(people, part["escalate_to"])}
        choice(_("When overdue, may also decide"), roles, part["escalate_to"], put("escalate_to"), name="escalate")
    condition(_("Needed only if"), part["only_if"], definition.fields, put("only_if"), name="only-if")


def _setting(part: Part, name: str, changed: Changed) -> Told:
    async def told(value: Any) -> None:
        await changed({**part, name: value})

    return told


def _roles(people: People, also: str) -> dict[str, str]:
    names = {*ROLES, *(role for one in people.by_login.values() for role in one.user.roles), also} - {""}
    return {name: name for name in sorted(names)}


def _options(part: Part, told: Told) -> None:
    """The choices, a row each."""
    rows = [
        {"value": one["value"], "en": one["label"].get("en"), "zh_CN": one["label"].get("zh_CN")}
        for one in part["options"]
    ]

    async def changed(now: list[Part]) -> None:
        await told(
            [
                {"value": row.get("value") or row.get("en") or row.get("zh_CN") or "", "label": _texts(row)}
                for row in now
            ]
        )

    _rows(
        _("Choices"),
        [("value", "text", _("Stored value")), ("en", "text", "English"), ("zh_CN", "text", "中文")],
        rows,
        changed,
    )


def _columns(part: Part, told: Told) -> None:
    """The columns of a table, a row each."""
    rows = [
        {**one, "en": one["label"].get("en"), "zh_CN": one["label"].get("zh_CN"), "options": _offered(one)}
        for one in part["columns"]
    ]

    async def changed(now: list[Part]) -> None:
        await told(
            [
                {
                    "id": row.get("id") or f"c{number}",
                    "kind": row.get("kind") or "text",
                    "label": _texts(row),
                    "unit": row.get("unit") or "",
                    "min": row.get("min"),
                    "max": row.get("max"),
                    "options": [
                        {"value": each.strip()} for each in str(row.get("options") or "").split(",") if each.strip()
                    ],
                    "required": bool(row.get("required")),
                }
                for number, row in enumerate(now, start=1)
            ]
        )

    columns = [
        ("en", "text", "English"), ("zh_CN", "text", "中文"), ("kind", "choice", _("Kind")),
        ("unit", "text", _("Unit")), ("min", "number", _("Lowest value")), ("max", "number", _("Highest value")),
        ("options", "text", _("Choices, with commas")),
        ("required", "yes_no", _("Must be filled in")), ("id", "text", _("Id")),
    ]  # fmt: skip
    _rows(_("Columns"), columns, rows, changed)


def _rows(
    title: str, columns: list[tuple[str, str, str]], rows: list[Part], changed: Callable[[list[Part]], Awaitable[None]]
) -> None:
    offered = [(kind.value, text) for kind, text in wording.kinds().items() if kind in COLUMN_KINDS]
    kinds = [{"value": kind, "label": {"en": text}} for kind, text in offered]
    field = {
        "id": "rows", "kind": "table", "most": 100,
        "columns": [
            {"id": name.lower(), "kind": kind, "label": {"en": label}, "options": kinds if kind == "choice" else []}
            for name, kind, label in columns
        ],
    }  # fmt: skip
    table = read_definition({"title": {"en": title}, "fields": [field]}).fields[0]

    async def told(now: list[Part]) -> None:
        await changed([{name: row.get(name.lower()) for name, _kind, _label in columns} for row in now])

    with region("ath-settings-rows", role="group", aria_label=title):
        Words(title, "strong")
        TableRows(table, [{name.lower(): row.get(name) for name, _kind, _label in columns} for row in rows], told)


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {language: str(row[language]) for language in ("en", "zh_CN") if row.get(language)}


def _offered(column: Mapping[str, Any]) -> str:
    return ", ".join(option["value"] for option in column["options"])
