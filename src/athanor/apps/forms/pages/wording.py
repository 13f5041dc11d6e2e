"""How things of forms are called in the reader's language."""

from collections.abc import Mapping
from typing import Any

from athanor.kernel.forms.definition import Column, Definition, FormField, Kind, Op, Option, Step, Who
from athanor.kernel.forms.flow import State, Verdict
from athanor.kernel.forms.validation import Fault
from athanor.web.components import Status
from athanor.web.language import _, text_of


def state_of(state: State) -> tuple[str, Status]:
    """Where an entry is, and how that looks."""
    return {
        State.DRAFT: (_("Draft"), Status.NORMAL),
        State.AT_STEP: (_("Being decided"), Status.UNSURE),
        State.RETURNED: (_("Sent back for change"), Status.WARN),
        State.APPROVED: (_("Approved"), Status.NORMAL),
        State.REJECTED: (_("Rejected"), Status.URGENT),
        State.WITHDRAWN: (_("Withdrawn"), Status.NORMAL),
    }[state]


def verdict(given: Verdict) -> str:
    """What was decided."""
    return {
        Verdict.APPROVE: _("approved"),
        Verdict.REJECT: _("rejected"),
        Verdict.SEND_BACK: _("sent back for change"),
    }[given]


def kinds() -> dict[Kind, str]:
    """What fields are called, in the order in which they are offered."""
    return {
        Kind.TEXT: _("Text"),
        Kind.LONG_TEXT: _("Long text"),
        Kind.NUMBER: _("Number"),
        Kind.DATE: _("Date"),
        Kind.MOMENT: _("Date and time"),
        Kind.CHOICE: _("One choice"),
        Kind.CHOICES: _("Several choices"),
        Kind.YES_NO: _("Yes or no"),
        Kind.ASSET: _("Asset of the plant"),
        Kind.TAG: _("Tag of the plant"),
        Kind.PERSON: _("Person"),
        Kind.TABLE: _("Table of rows"),
        Kind.PHOTO: _("Photo"),
        Kind.SIGNATURE: _("Signature"),
        Kind.POSITION: _("GPS position"),
        Kind.COMPUTED: _("Computed value"),
        Kind.NOTE: _("Note to read"),
    }


def glyph(kind: Kind) -> str:
    """Material icon of a kind of field."""
    return {
        Kind.TEXT: "short_text",
        Kind.LONG_TEXT: "notes",
        Kind.NUMBER: "pin",
        Kind.DATE: "event",
        Kind.MOMENT: "schedule",
        Kind.CHOICE: "radio_button_checked",
        Kind.CHOICES: "checklist",
        Kind.YES_NO: "toggle_on",
        Kind.ASSET: "account_tree",
        Kind.TAG: "sell",
        Kind.PERSON: "person",
        Kind.TABLE: "table_rows",
        Kind.PHOTO: "photo_camera",
        Kind.SIGNATURE: "draw",
        Kind.POSITION: "place",
        Kind.COMPUTED: "functions",
        Kind.NOTE: "info",
    }[kind]


def operators() -> dict[Op, str]:
    """How conditions compare."""
    return {
        Op.EQUAL: _("is"),
        Op.OTHER: _("is not"),
        Op.ABOVE: _("is above"),
        Op.AT_LEAST: _("is at least"),
        Op.BELOW: _("is below"),
        Op.AT_MOST: _("is at most"),
        Op.FILLED: _("is filled in"),
        Op.EMPTY: _("is empty"),
    }


def deciders() -> dict[Who, str]:
    """By what a step finds who decides."""
    return {
        Who.ROLE: _("Everybody with the role"),
        Who.PERSON: _("The person"),
        Who.POST: _("Whoever holds the post in the author's department"),
        Who.AUTHOR: _("The one who filled it in"),
    }


def label_of(one: FormField | Column) -> str:
    """A field's label with its unit."""
    label = text_of(one.label) or one.id
    return f"{label} [{one.unit}]" if one.unit else label


def option_text(option: Option) -> str:
    """How an option reads."""
    return text_of(option.label) or option.value


def step_title(step: Step) -> str:
    """A step's title."""
    return text_of(step.title) or step.id


def step_who(step: Step, names: Mapping[str, str] | None = None) -> str:
    """Who decides a step, in short."""
    name = (names or {}).get(step.name, step.name)
    return {
        Who.ROLE: _("role {name}"),
        Who.PERSON: "{name}",
        Who.POST: _("{name} of the author's department"),
        Who.AUTHOR: _("the one who filled it in"),
    }[step.who].format(name=name)


def step_rules(step: Step, definition: Definition) -> list[str]:
    """What else holds for a step."""
    said = []
    if step.only_if is not None and definition.has(step.only_if.field):
        field = label_of(definition.field(step.only_if.field))
        value = "" if step.only_if.value is None else _value(step.only_if.value)
        said.append(_("only if {what}").format(what=f"{field} {operators()[step.only_if.op]} {value}".strip()))
    if step.signature:
        said.append(_("with signature"))
    if step.due_h is not None:
        said.append(_("within {n} h").format(n=f"{step.due_h:g}"))
    if step.escalate_to:
        said.append(_("then also role {name}").format(name=step.escalate_to))
    return said


def fault_text(fault: Fault) -> str:
    """Why a value will not do."""
    own = text_of(fault.message)
    return own or _faults()[fault.code].format(**fault.details)


def _faults() -> dict[str, str]:
    return {
        "required": _("Please fill this in."),
        "no-number": _("This is no number. Write it as in 1234.5."),
        "too-low": _("At least {least} is allowed."),
        "too-high": _("At most {most} is allowed."),
        "too-long": _("At most {most} characters are allowed."),
        "too-many": _("At most {most} are allowed."),
        "no-date": _("This is no date."),
        "no-moment": _("This is no date and time."),
        "not-offered": _("This is not one of the values offered."),
        "no-asset": _("The plant has no such asset."),
        "no-tag": _("The plant has no such tag."),
        "no-person": _("There is no such person."),
        "unreadable": _("This cannot be read. Enter it again."),
        "row": _("Row {row}, {column}: {reason}"),
    }


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return f"{value:g}" if isinstance(value, float) else str(value)
