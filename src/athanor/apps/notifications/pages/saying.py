"""A policy in words."""

from athanor.apps.notifications.pages.who import Choices, who_text
from athanor.apps.notifications.pages.wording import days_text, enterprise, lack, minute_text
from athanor.kernel.notify.policy import Match, Step
from athanor.kernel.notify.recipients import Fault
from athanor.kernel.plant.running import RunningPlant
from athanor.web.language import _, text_of
from athanor.web.severity import categories, priorities


def topics() -> dict[str, str]:
    """Kinds of notices that are usual."""
    return {
        "alarms.*": _("Alarms"),
        "cases.*": _("Incidents"),
        "forms.*": _("Forms and flows"),
        "backup.*": _("Backups"),
        "notify.*": _("Channels and messages"),
    }


def match_text(match: Match, plant: RunningPlant) -> str:
    """What a policy is about."""
    parts = [
        _(", ").join(topics().get(topic, topic) for topic in match.topics),
        _(", ").join(priorities()[one] for one in match.priorities),
        _(", ").join(categories()[one] for one in match.categories),
        _(", ").join(_area(path, plant) for path in match.areas),
        _(", ").join(enterprise(plant, one) for one in match.tenants),
        f"“{match.text}”" if match.text else "",
        _(", ").join(
            f"{days_text(one.days)} {minute_text(one.from_minute)}–{minute_text(one.to_minute)}" for one in match.hours
        ),
    ]
    return " · ".join(filter(None, parts)) or _("everything")


def step_text(step: Step, choices: Choices) -> str:
    """Whom a step tells, by what."""
    whom = _(", ").join(who_text(who, choices) for who in step.to)
    if not step.by:
        return whom
    joined = " + " if step.is_by_all else " → "
    return f"{whom} · {joined.join(choices.channels.get(one, str(one)) for one in step.by)}"


def fault_text(fault: Fault, choices: Choices) -> str:
    """What does not work."""
    login = choices.people.get(fault.login, fault.login)
    who = login or ("" if fault.who is None else who_text(fault.who, choices))
    return lack(fault.lack, who or fault.channel, fault.channel)


def _area(path: str, plant: RunningPlant) -> str:
    node = plant.model.nodes.get(path)
    return path if node is None else text_of(node.name)
