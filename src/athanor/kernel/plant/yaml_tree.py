"""YAML as a tree whose every node knows its line. Safe to use on files from strangers.

Built from the parser's events without recursion, so that neither depth nor aliases can bring the reader down, and a
file of 100,000 tags takes seconds: PyYAML's own composer overruns the stack on deep files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

MAX_BYTES = 64 * 1024 * 1024  # a plant of 100,000 tags written out one by one takes about 20 MB
MAX_DEPTH = 64

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file: where, and what to do about it."""

    line: int  # counted from 1
    message: str


class UnreadableYamlError(Exception):
    """The text is no YAML that we read. For the readers of files, who turn it into an error of their own."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


@dataclass(slots=True)
class Scalar:
    """A text as it stands in the file; `plain` if without quotes, so that it may be a number."""

    text: str
    line: int
    plain: bool

    @property
    def is_null(self) -> bool:
        """Whether it says that there is no value."""
        return self.plain and self.text in _NULLS


@dataclass(slots=True)
class Sequence:
    """A list."""

    items: "list[Node]"
    line: int


@dataclass(slots=True)
class Mapping:
    """Keys and values by turns, in the file's order; a key may come twice."""

    items: "list[Node]"
    line: int

    def pairs(self) -> "Iterator[tuple[Node, Node]]":
        """Each key with its value."""
        turns = iter(self.items)
        return zip(turns, turns, strict=True)


Node = Scalar | Sequence | Mapping


def read_text(path: Path) -> str:
    """The file as text. Raises UnreadableYamlError, OSError."""
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableYamlError(
            Fault(
                1,
                f"The file has {size / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} MiB are read. Write tags that "
                "many assets share once, as a type.",
            )
        )
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableYamlError(
            Fault(line, f"This is not UTF-8 ({error.reason}). Save the file as UTF-8.")
        ) from error


def read_tree(text: str) -> Node:
    """The one document in `text`. Raises UnreadableYamlError."""
    try:
        return _tree(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line, text.count("\n")) + 1 if mark else 1  # the end of the file lies below its last line
        raise UnreadableYamlError(Fault(line, f"The YAML breaks off here: {_reason(error)}.{_cure(error)}")) from error
    except yaml.reader.ReaderError as error:
        # The parser counts bytes of its own input, which is UTF-8.
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise UnreadableYamlError(
            Fault(line, f"YAML allows no such character: {error.reason}. Remove what cannot be seen.")
        ) from error


def _tree(text: str) -> Node:
    parser = yaml.CSafeLoader(text)
    outer: list[list[Node]] = []  # what is open around `current`
    current: list[Node] = []
    document = current
    try:
        while parser.check_event():
            event: Any = parser.get_event()  # typeshed does not say which events have a value, a tag, an anchor
            line = event.start_mark.line + 1
            if isinstance(event, NodeEvent):
                _refuse_what_is_not_read(event, line)
            if isinstance(event, ScalarEvent):
                current.append(Scalar(event.value, line, event.implicit[0]))
            elif isinstance(event, CollectionStartEvent):
                if len(outer) == MAX_DEPTH:
                    fault = Fault(line, f"The file is nested more than {MAX_DEPTH} deep. Take levels out of it.")
                    raise UnreadableYamlError(fault)
                items: list[Node] = []
                current.append((Mapping if isinstance(event, MappingStartEvent) else Sequence)(items, line))
                outer.append(current)
                current = items
            elif isinstance(event, CollectionEndEvent):
                current = outer.pop()
            elif isinstance(event, DocumentStartEvent) and document:
                fault = Fault(line, "A second document starts here. Keep one in a file; remove this '---'.")
                raise UnreadableYamlError(fault)
    finally:
        parser.dispose()
    return document[0] if document else Scalar("", 1, plain=True)


def _refuse_what_is_not_read(event: Any, line: int) -> None:
    if isinstance(event, AliasEvent):
        raise UnreadableYamlError(
            Fault(
                line,
                f"Aliases such as *{event.anchor} are not read. Write tags that many assets share as a type; quote a "
                "text that starts with an asterisk.",
            )
        )
    if event.tag is not None and event.tag != "!":
        raise UnreadableYamlError(Fault(line, f"YAML tags such as {event.tag} are not read. Remove it."))


def _reason(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part)


def _cure(error: yaml.MarkedYAMLError) -> str:
    """What usually brings such an error about."""
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return " Use spaces, not tabs, to indent; put quotes round a text that starts with % @ or `."
    if "mapping values are not allowed" in problem:
        return " Put quotes round a text that holds a colon and a blank."
    return " Check the indentation, and that each bracket and quote is closed."
