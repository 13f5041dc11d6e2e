"""Every action that the code enters into the audit trail has words in both languages."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import athanor
from athanor.apps.security.pages.words import ACTIONS, action_text
from athanor.web.language import speaking

SOURCE = Path(athanor.__file__).parent

# What is no plain text where it is entered, by the module and the expression there: what it may come to.
COMPUTED: dict[tuple[str, str], set[str]] = {
    ("apps.exchange.services.access", "f'exchange.access-{state}'"): {
        "exchange.access-approved",
        "exchange.access-refused",
    },
    ("apps.security.services.watching", "action"): {
        "security.edge-lost",
        "security.edge-connected",
        "security.plant-changed",
    },
    ("kernel.storage.announcing", "action"): {"historian.samples-expired", "historian.samples-dropped"},
    ("kernel.jobs.schedules", "action"): {"jobs.schedule-resumed", "jobs.schedule-paused"},
    ("kernel.alarms.operating", "f'alarms.{trigger.value}'"): {
        "alarms.acknowledged",
        "alarms.reset",
        "alarms.shelved",
        "alarms.unshelved",
        "alarms.removed-from-service",
        "alarms.returned-to-service",
    },
    ("kernel.alarms.rulebook", "action"): {"alarms.rule-made", "alarms.rule-changed"},
    ("kernel.cases.service", "what"): {"cases.opened", "cases.joined"},
    ("kernel.cases.working", "f'cases.{what}'"): {
        "cases.assigned",
        "cases.started",
        "cases.said",
        "cases.evidence",
        "cases.resolved",
        "cases.sent-back",
        "cases.closed",
        "cases.reopened",
        "cases.task-given",
        "cases.task-done",
        "cases.task-dropped",
    },
    # These are handed on by a function of the module, whose callers name them.
    ("kernel.transfer.imports", "action"): set(),
    ("kernel.documents.service", "action"): set(),
    ("kernel.notify.books", "action"): set(),
    ("kernel.notify.channelbook", "action"): set(),
    ("cli.historian", "action"): {"historian.file-set-aside", "historian.file-put-back"},
}


ACTION = re.compile(r"[a-z]+\.[a-z]+(-[a-z]+)*")
WRAPPERS = {"record", "_record", "_note", "note"}  # what enters an action, itself or for others of its module


def recorded() -> Iterator[tuple[str, str, str]]:
    """Module, expression and value of each action that is entered; an empty value where it is computed."""
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        module = ".".join(file.relative_to(SOURCE).with_suffix("").parts)
        if "identity.audit import" not in text or module.startswith(
            "bench."
        ):  # benchmarks write into a place of theirs
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in WRAPPERS:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and ACTION.fullmatch(str(argument.value)):
                        yield module, ast.unparse(argument), str(argument.value)
            if name == "record" and isinstance(node.func, ast.Name) and not isinstance(node.args[2], ast.Constant):
                yield from _actions(module, node.args[2])


def _actions(module: str, expression: ast.expr) -> Iterator[tuple[str, str, str]]:
    if isinstance(expression, ast.IfExp):
        yield from _actions(module, expression.body)
        yield from _actions(module, expression.orelse)
    else:
        name = ast.unparse(expression)
        value = getattr(importlib.import_module(f"athanor.{module}"), name, "") if name.isidentifier() else ""
        yield module, name, value


def test_every_action_has_words() -> None:
    found = list(recorded())
    plain = {value for _module, _name, value in found if value}
    computed = {(module, name) for module, name, value in found if not value}
    unknown = computed - COMPUTED.keys()
    assert not unknown, f"add to COMPUTED what these come to: {unknown}"
    wanted = plain | {action for key in computed for action in COMPUTED[key]}
    assert len(wanted) > 40
    missing = wanted - ACTIONS.keys()
    assert not missing, f"apps/security/pages/words.py has no words for {sorted(missing)}"


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_no_two_actions_are_called_alike(language: str) -> None:
    with speaking(language):
        said = [action_text(action) for action in ACTIONS]
    assert len(said) == len(set(said))


def test_an_action_of_a_strangers_app_is_shown_as_it_is() -> None:
    assert action_text("hello.greeted") == "hello.greeted"
