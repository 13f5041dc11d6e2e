"""What a message says: plain texts with placeholders from a fixed list, never code."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from athanor.kernel.plant.model import Plant, Text

# What may stand between braces. Anything else there is refused when a template is saved.
PLACEHOLDERS = ("title", "detail", "place", "path", "enterprise", "priority", "value", "time", "link")
Name = Annotated[dict[str, Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=5)]  # by language

_HOLE = re.compile(r"\{([^{}]*)\}")
_FALLBACK = "en"

_PRIORITIES: Mapping[str, Mapping[int, str]] = {
    "en": {1: "Critical", 2: "High", 3: "Medium", 4: "Low"},
    "zh_CN": {1: "紧急", 2: "高", 3: "中", 4: "低"},
}
_BRACKETS = {"zh_CN": "【{}】"}
_JOIN = " › "


class Template(BaseModel):
    """How notices of some topics are put into words, in one language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str = Field(default="*", min_length=1, max_length=100)  # a pattern: `alarms.*`
    language: str = Field(default="", max_length=10)  # "": every one
    title: str = Field(min_length=1, max_length=500)
    body: str = Field(max_length=4000)

    @field_validator("title", "body")
    @classmethod
    def _is_known(cls, text: str) -> str:
        if unknown := [name for name in _HOLE.findall(text) if name not in PLACEHOLDERS]:
            known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
            raise ValueError(f"{{{unknown[0]}}} is no placeholder; there are {known}")
        return text


@dataclass(frozen=True, slots=True)
class Told:
    """A message's words."""

    title: str
    body: str


def told(
    templates: Sequence[Template], topic: str, values: Mapping[str, str], language: str, *, has_priority: bool
) -> Told:
    """A notice in words: by the first template for its topic and language, else in the house's way."""
    chosen = next((one for one in templates if one.language in ("", language) and fnmatchcase(topic, one.topic)), None)
    if chosen is not None:
        return Told(_filled(chosen.title, values), _filled(chosen.body, values))
    mark = _BRACKETS.get(language, "[{}] ").format(values["priority"]) if has_priority else ""
    lines = (values["place"], values["detail"], values["time"], values["link"])
    return Told(mark + values["title"], "\n".join(line for line in lines if line))


def in_language(words: Mapping[str, str], language: str) -> str:
    """The text in a language, else in English, else in the first there is."""
    return words.get(language) or words.get(_FALLBACK) or next(iter(words.values()), "")


def priority_word(priority: int, language: str) -> str:
    """What a priority is called."""
    return _PRIORITIES.get(language, _PRIORITIES[_FALLBACK]).get(priority, str(priority))


def place_of(plant: Plant, path: str, language: str) -> str:
    """Where a node or tag is, from the site down, and the tag's name; the path itself where the plant lacks it."""
    if not path:
        return ""
    tag = plant.tags.get(path)
    node = plant.nodes.get(path if tag is None else tag.node_path)
    if node is None:
        return path
    names: list[Text] = [] if tag is None else [tag.name]
    while node is not None:
        names.append(node.name)
        node = plant.nodes.get(node.parent or "")
    return _JOIN.join(in_language(name, language) for name in reversed(names))


def local_time(at: datetime, zone: ZoneInfo) -> str:
    """A moment on the site's clock, to the second."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Each placeholder once; what is put in is not looked into again."""
    return _HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text)
