"""Write docs/errors.md: every error a person may meet, with its code, its meaning and what it says.

The code is read, not run: `.venv/bin/python scripts/list_errors.py`.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "errors.md"
HEADER = """\
# Errors

Every error that Athanor shows has a code. It stands in the log, in an API's answer (`code`) and here, and stays the
same from version to version, so that you can search for it. An error says what happened, to what, and what to do
next; `…` stands for what differs from case to case.

<!-- Written by scripts/list_errors.py from the code. Change the error's class, then run `make pages`. -->
"""


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One class below AthanorError, as its source shows it. `code` is None where the class gives none of its own."""

    name: str
    place: Path
    bases: tuple[str, ...]
    code: str | None
    meaning: str
    says: str


def error_classes(source: Path) -> list[ErrorClass]:
    """All classes below AthanorError in the tree, by code."""
    classes = [found for path in sorted(source.rglob("*.py")) for found in _classes(path)]
    by_name = {found.name: found for found in classes}
    ours = [found for found in classes if _is_error(found, by_name)]
    return sorted(ours, key=lambda error: (error.code or "", error.name))


def page(errors: list[ErrorClass]) -> str:
    """The manual's page, one section for each first word of the codes."""
    lines = [HEADER]
    section = ""
    for error in errors:
        code = error.code or ""
        if code.partition(".")[0] != section:
            section = code.partition(".")[0]
            lines.append(f"\n## {section}\n\n| code | meaning | what it says |\n| --- | --- | --- |\n")
        lines.append(f"| `{code}` | {_cell(error.meaning)} | {_cell(error.says)} |\n")
    return "".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _is_error(found: ErrorClass, by_name: dict[str, ErrorClass]) -> bool:
    return any(
        base == "AthanorError" or (base in by_name and _is_error(by_name[base], by_name)) for base in found.bases
    )


def _classes(path: Path) -> Iterator[ErrorClass]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            bases = tuple(ast.unparse(base).rpartition(".")[2] for base in node.bases)
            meaning = (ast.get_docstring(node) or "").partition("\n")[0]
            yield ErrorClass(node.name, path, bases, _code(node), meaning, _says(node))


def _code(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and target.id == "code" and isinstance(value, ast.Constant):
            return str(value.value)
    return None


def _says(node: ast.ClassDef) -> str:
    """The text handed to `super().__init__`, with `…` for what is filled in."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__" and call.args:
            return _text(call.args[0])
    return "…"


def _text(message: ast.expr) -> str:
    if isinstance(message, ast.Constant):
        return str(message.value)
    if isinstance(message, ast.JoinedStr):
        return "".join(_text(part) for part in message.values)
    return "…"


def main() -> None:
    """Write the page."""
    errors = error_classes(ROOT / "src" / "athanor")
    PAGE.write_text(page(errors), encoding="utf-8")
    print(f"docs/errors.md: {len(errors)} errors")  # noqa: T201


if __name__ == "__main__":
    main()
