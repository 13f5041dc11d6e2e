"""What a notice of an alarm says, in both languages: what, where, how much, and what to do."""

from collections.abc import Mapping

from athanor.kernel.alarms.known import KnownRule
from athanor.kernel.alarms.ledger import Step
from athanor.kernel.alarms.lifecycle import State, Trigger
from athanor.kernel.notify.notice import Notice
from athanor.kernel.plant.model import Plant, Tag

LANGUAGES = ("en", "zh_CN")
_STOPS: Mapping[str, str] = {"en": ". ", "zh_CN": "。"}
_LIMITS: Mapping[str, str] = {"en": "{value} (limit {limit})", "zh_CN": "{value}（限值 {limit}）"}
_ACTIONS: Mapping[str, str] = {"en": "To do: {text}", "zh_CN": "处置：{text}"}
_CONSEQUENCES: Mapping[str, str] = {"en": "If nobody acts: {text}", "zh_CN": "后果：{text}"}
_OVER: Mapping[Trigger, Mapping[str, str]] = {
    Trigger.ACKNOWLEDGED: {"en": "Acknowledged by {by}: {title}", "zh_CN": "{by} 已确认：{title}"},
    Trigger.CLEARED: {"en": "Back to normal: {title}", "zh_CN": "已恢复正常：{title}"},
    Trigger.SHELVED: {"en": "Shelved by {by}: {title}", "zh_CN": "{by} 已搁置：{title}"},
    Trigger.SUPPRESSED: {"en": "Suppressed by design: {title}", "zh_CN": "已按设计抑制：{title}"},
    Trigger.REMOVED: {"en": "Taken out of service by {by}: {title}", "zh_CN": "{by} 已停用：{title}"},
    Trigger.RETIRED: {"en": "No longer judged: {title}", "zh_CN": "不再判断：{title}"},
}


class Wording:
    """Makes notices of the steps of one transaction; names of places are looked up once."""

    def __init__(self, plant: Plant, rules: Mapping[int, KnownRule]) -> None:
        self._plant, self._rules = plant, rules
        self._places: dict[str, Mapping[str, str]] = {}

    def notice(self, step: Step) -> Notice | None:
        """What people may have to hear of a step: that it was announced, or that what was announced is over."""
        if step.occurrence is None:
            return None
        if step.is_announced:
            return self._notice(step, step.occurrence.id, "raised")
        was_waiting = not step.before.is_hidden and step.before.own is State.UNACK
        is_clear = step.act.trigger is Trigger.CLEARED and not step.before.is_hidden and step.occurrence.is_announced
        if was_waiting or is_clear:
            return self._notice(step, step.occurrence.id, step.act.trigger.value)
        return None

    def _notice(self, step: Step, occurrence: int, what: str) -> Notice:
        subject = f"alarms.occurrence:{occurrence}"
        alarm, rule = step.alarm, self._rules[step.alarm.rule_id].rule
        titles = {language: self._title(step, language) for language in LANGUAGES}
        if not step.is_announced:
            words = _OVER[step.act.trigger]
            titles = {name: words[name].format(by=step.act.by, title=title) for name, title in titles.items()}
        return Notice(
            key=f"{subject}:{what}" if step.is_first else f"{subject}:{what}:{step.event}",
            topic=f"alarms.{what}",
            subject=subject,
            title=titles,
            detail={language: self._detail(step, rule.consequence, rule.action, language) for language in LANGUAGES},
            tenant=alarm.tenant,
            path=alarm.path,
            priority=alarm.priority,
            category=alarm.category,
            link=f"/alarms/occurrences/{occurrence}",
            is_late=step.act.is_late,
            is_over=not step.is_announced,
            at=step.act.at,
        )

    def _title(self, step: Step, language: str) -> str:
        name = said(self._rules[step.alarm.rule_id].rule.name, language)
        place = self.place(step.alarm.path)[language]
        return f"{name} · {place}" if place else name

    def _detail(self, step: Step, consequence: Mapping[str, str], action: Mapping[str, str], language: str) -> str:
        parts = [
            self._measured(step, language),
            step.act.reason,
            _ACTIONS[language].format(text=said(action, language)) if action else "",
            _CONSEQUENCES[language].format(text=said(consequence, language)) if consequence else "",
        ]
        return _STOPS[language].join(part.rstrip("。. ") for part in parts if part)

    def _measured(self, step: Step, language: str) -> str:
        if step.value is None:
            return ""
        tag = self._plant.tags.get(step.alarm.path)
        value = measured(step.value, tag)
        return value if step.limit is None else _LIMITS[language].format(value=value, limit=measured(step.limit, tag))

    def place(self, path: str) -> Mapping[str, str]:
        """A path by the names of its places, the tag's own at the end; an unknown one as it is written."""
        if path not in self._places:
            tag = self._plant.tags.get(path)
            node = path if tag is None else tag.node_path
            self._places[path] = {
                language: self._nodes(node, language) + (f" › {said(tag.name, language)}" if tag is not None else "")
                for language in LANGUAGES
            }
        return self._places[path]

    def _nodes(self, path: str, language: str) -> str:
        if path not in self._plant.nodes:
            return path
        names = []
        while path:
            names.append(said(self._plant.nodes[path].name, language))
            path = path.rpartition(".")[0]
        return " › ".join(reversed(names))


def measured(value: float, tag: Tag | None) -> str:
    """A number with the digits and the unit of its tag."""
    if tag is None:
        return f"{value:.6g}"
    return f"{value:.{tag.decimals}f} {tag.unit}".rstrip()


def said(words: Mapping[str, str], language: str) -> str:
    """A text in a language, in English where there is none, else in any."""
    return words.get(language) or words.get("en") or next(iter(words.values()), "")
