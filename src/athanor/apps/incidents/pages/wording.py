"""Words for what cases are and were."""

from collections.abc import Mapping

from athanor.kernel.cases.flow import Disposition, State, TaskState
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status
from athanor.web.language import _, text_of


def state_of(state: State) -> tuple[str, Status]:
    """A state and how bad it is."""
    return {
        State.OPEN: (_("Nobody has it"), Status.WARN),
        State.ASSIGNED: (_("Assigned"), Status.NORMAL),
        State.WORKING: (_("Being worked on"), Status.NORMAL),
        State.RESOLVED: (_("To be verified"), Status.NORMAL),
        State.CLOSED: (_("Closed"), Status.NORMAL),
    }[state]


def task_state(state: TaskState) -> str:
    """Where a task stands."""
    return {TaskState.OPEN: _("open"), TaskState.DONE: _("done"), TaskState.DROPPED: _("dropped")}[state]


def dispositions() -> Mapping[str, str]:
    """How a case may end."""
    return {
        Disposition.MENDED: _("Mended"),
        Disposition.ADJUSTED: _("Brought back by operating"),
        Disposition.HANDED_OVER: _("Handed over to maintenance"),
        Disposition.FALSE_ALARM: _("False alarm"),
        Disposition.ACCEPTED: _("Accepted as it is"),
    }


def happened(what: str) -> str:
    """What an entry of the history says."""
    return {
        "opened": _("Opened"),
        "joined": _("Another alarm joined"),
        "assigned": _("Assigned"),
        "started": _("Work began"),
        "said": _("Said"),
        "evidence": _("Evidence"),
        "resolved": _("Resolved"),
        "sent-back": _("Sent back"),
        "closed": _("Verified and closed"),
        "reopened": _("Opened again"),
        "escalated": _("Overdue: given further up"),
        "task-given": _("Task given"),
        "task-done": _("Task done"),
        "task-dropped": _("Task dropped"),
        "task-overdue": _("Task overdue"),
    }.get(what, what)


def place_of(plant: RunningPlant, path: str) -> str:
    """Where it is, by names; the path where the viewer's plant has no such place."""
    if not path:
        return ""
    tag = plant.model.tags.get(path)
    node = tag.node_path if tag is not None else path
    if node not in plant.model.nodes:
        return path
    names = [text_of(one.name) for one in way_to(plant, node)][-2:]
    return " › ".join([*names, *([text_of(tag.name)] if tag is not None else [])])
