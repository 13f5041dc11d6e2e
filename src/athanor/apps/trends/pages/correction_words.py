"""Corrections in words."""

from athanor.kernel.corrections.actions import Action, Adjust, Interpolate, MarkBad, SetConstant, Value
from athanor.kernel.plant.model import Tag
from athanor.kernel.units import display_unit
from athanor.web.formatting import number, value_text
from athanor.web.language import _


def what_was_done(action: Action, tag: Tag) -> str:
    """In a few words, with the values that were given."""
    if isinstance(action, MarkBad):
        return _("Marked as bad")
    if isinstance(action, Interpolate):
        return _("Straight line")
    if isinstance(action, Adjust):
        return _adjusted(action, tag)
    if isinstance(action, SetConstant):
        return _("Set to {value}").format(value=_with_unit(action.value, tag))
    if len(action.values) > 1:
        return _("{n} values entered").format(n=number(len(action.values)))
    return _("Value entered: {value}").format(value=_with_unit(action.values[0].value, tag))


def _adjusted(action: Adjust, tag: Tag) -> str:
    parts = []
    if action.factor != 1:
        parts.append(f"\u00d7 {action.factor:g}")
    if action.offset:
        sign = "+" if action.offset > 0 else "\u2212"
        parts.append(f"{sign} {abs(action.offset):g} {display_unit(tag.unit)}".rstrip())
    return " ".join(parts)


def _with_unit(value: Value, tag: Tag) -> str:
    return f"{value_text(tag, value)} {display_unit(tag.unit)}".rstrip()
