"""What codes of the kernel are called on screen, and what to do about them."""

from athanor.apps.datahealth.domain.trouble import Trouble
from athanor.kernel.ingest.sources import EdgeState
from athanor.web.formatting import number
from athanor.web.language import _


def reason(code: str) -> str:
    """Why samples were refused."""
    return {
        "unknown-tag": _("No such tag"),
        "unknown-unit": _("Unknown unit"),
        "incompatible-unit": _("Unit does not fit the tag"),
        "impossible-time": _("Impossible time"),
        "wrong-kind": _("A text for a number, or a number for a text"),
        "corrected": _("Corrected by a person before it came"),
    }.get(code, code)


def cure(code: str) -> str:
    """What to do so that they are no longer refused."""
    return {
        "unknown-tag": _("Add the tag to the plant model, or correct its path in the edge's mapping."),
        "unknown-unit": _("Correct the unit in the edge's mapping; the manual lists the units that are known."),
        "incompatible-unit": _("Correct the unit in the edge's mapping or at the tag: they measure different things."),
        "impossible-time": _("Set the clock of the device or of the edge; samples from the future are not kept."),
        "wrong-kind": _("Correct the tag's kind in the plant model, or the mapping at the edge."),
        "corrected": _(
            "If the source is right, undo the correction on the page Trends; what came meanwhile is kept here."
        ),
    }.get(code, _("The log of the server says more."))


def losses(edge: EdgeState) -> list[str]:
    """What an edge lost for want of room, and what to do."""
    backlog, said = edge.backlog, []
    if backlog.dropped_rows:
        text = _(
            "{edge} gave up its {n} oldest samples: its buffer was full. See why it could not deliver, or give it more "
            "room with `max_bytes` in its configuration."
        )
        said.append(text.format(edge=edge.edge, n=number(backlog.dropped_rows)))
    if backlog.refused_rows:
        text = _("{edge} could not keep {n} new samples: its disk was full. Make room on that disk.")
        said.append(text.format(edge=edge.edge, n=number(backlog.refused_rows)))
    return said


def source_state(state: str) -> str:
    """How a source does."""
    return {
        "connected": _("Connected"),
        "connecting": _("Connecting"),
        "failed": _("Failed"),
        "stopped": _("Stopped"),
    }.get(state, state)


def trouble(kind: Trouble) -> str:
    """What is wrong with a value."""
    return {Trouble.NEVER: _("Never came"), Trouble.STALE: _("Stale"), Trouble.BAD: _("Bad quality")}.get(kind, "")
