"""Reading the nodes of a YAML tree as the values they should be, and gathering every fault on the way.

A reader that finds a fault notes it and gives None; the caller goes on, so that one run names all that is wrong.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from athanor.kernel.plant.model import Text
from athanor.kernel.plant.yaml_tree import Fault, Mapping, Node, Scalar, Sequence
from athanor.kernel.spelling import suggestion

_ID = re.compile(r"[a-z0-9_]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")

Choice = TypeVar("Choice", bound=StrEnum)


@dataclass
class Faults:
    """What is wrong with one file, in the order found."""

    found: list[Fault] = field(default_factory=list)

    def add(self, node: Node, message: str) -> None:
        """Note a fault at a node's line."""
        self.found.append(Fault(node.line, message))

    def mapping(self, node: Node, what: str, known: Collection[str], required: Collection[str] = ()) -> dict[str, Node]:
        """Values by key, those of unknown keys left out; empty where `node` is no mapping."""
        values = self.entries(node, what)
        for key in [key for key in values if key not in known]:
            self.add(values.pop(key), f"{sentence(what)} has no {key!r}. {suggestion(key, known)}")
        for key in required:
            if isinstance(node, Mapping) and key not in values:
                self.add(node, f"{sentence(what)} has no {key!r}. Add it.")
        return values

    def entries(self, node: Node, what: str) -> dict[str, Node]:
        """Values by key, whatever the keys are."""
        if not isinstance(node, Mapping):
            self.add(node, f"{sentence(what)} should be a mapping (key: value); this is {_shown(node)}.")
            return {}
        values: dict[str, Node] = {}
        for key, value in node.pairs():
            if not isinstance(key, Scalar):
                self.add(key, f"A key of {what} should be a word; this is {_shown(key)}.")
            elif key.text in values:
                self.add(key, f"{key.text!r} stands twice in {what}. Keep one of them.")
            else:
                values[key.text] = value
        return values

    def items(self, node: Node, what: str) -> list[Node]:
        """A list's items; empty where `node` is no list."""
        if isinstance(node, Sequence):
            return node.items
        self.add(node, f"{sentence(what)} should be a list (- item); this is {_shown(node)}.")
        return []

    def text(self, node: Node, what: str) -> str | None:
        """Any text, also one that looks like a number or a truth."""
        if isinstance(node, Scalar) and not node.is_null and node.text.strip():
            return node.text
        self.add(node, f"{sentence(what)} should be a text; this is {_shown(node)}.")
        return None

    def id(self, node: Node, what: str) -> str | None:
        """A part of a path."""
        text = self.text(node, what)
        if text is None or _ID.fullmatch(text):
            return text
        self.add(node, f"{sentence(what)} {text!r} may hold only small letters, digits and _. {_respelled(text)}")
        return None

    def number(self, node: Node, what: str) -> float | None:
        """A finite number."""
        if isinstance(node, Scalar) and node.plain:
            try:
                number = float(node.text)
            except ValueError:
                number = math.nan
            if math.isfinite(number):
                return number
        self.add(node, f"{sentence(what)} should be a number; this is {_shown(node)}.")
        return None

    def pair(self, node: Node, what: str, shape: str) -> tuple[float, float] | None:
        """Two numbers."""
        items = self.items(node, what)
        if isinstance(node, Sequence) and len(items) != 2:
            self.add(node, f"{sentence(what)} should hold two numbers: {shape}.")
        if len(items) != 2:
            return None
        first, second = (self.number(item, what) for item in items)
        return None if first is None or second is None else (first, second)

    def whole(self, node: Node, what: str, low: int, high: int) -> int | None:
        """A whole number within low to high."""
        if isinstance(node, Scalar) and node.plain and _WHOLE.fullmatch(node.text) and low <= int(node.text) <= high:
            return int(node.text)
        self.add(node, f"{sentence(what)} should be a whole number from {low} to {high}; this is {_shown(node)}.")
        return None

    def choice(self, node: Node, what: str, choices: type[Choice]) -> Choice | None:
        """One of an enumeration's values."""
        text = self.text(node, what)
        if text is None:
            return None
        try:
            return choices(text)
        except ValueError:
            self.add(
                node, f"{sentence(what)} cannot be {text!r}. {suggestion(text, [choice.value for choice in choices])}"
            )
            return None

    def name(self, node: Node, what: str) -> Text | None:
        """A text by language; English is the one that must be there, since it stands in for others."""
        texts: dict[str, str] = {}
        for language, value in self.entries(node, what).items():
            if not _LANGUAGE.fullmatch(language):
                self.add(value, f"{sentence(what)} has no language {language!r}. Write languages like en or zh_CN.")
                continue
            text = self.text(value, f"{what} in {language}")
            if text is not None:
                texts[language] = text
        if isinstance(node, Mapping) and "en" not in texts:
            self.add(node, f"{sentence(what)} has no English text. Add 'en: …'.")
        return texts


def sentence(words: str) -> str:
    """Words as a sentence begins."""
    return words[0].upper() + words[1:]


def _shown(node: Node) -> str:
    match node:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case Scalar() if node.is_null:
            return "empty"
        case Scalar(plain=True):
            return _cut(node.text)
        case _:
            return f"the text {_cut(node.text)!r}"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _respelled(text: str) -> str:
    proposal = re.sub(r"[^a-z0-9_]+", "_", text.lower()).strip("_")
    return f"Write {proposal!r}." if proposal else "Write a word such as 'pump_1'."
