"""The repository as its tests see it: the files that belong to it, and the Python and links in its pages."""

import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "athanor"

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<img[^>]+src=\"([^\"]+)\"|srcset=\"([^\"]+)\"")


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in the repository: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file())


def named(path: Path) -> str:
    """A file's name from the repository's root."""
    return path.relative_to(ROOT).as_posix()


def pages() -> list[Path]:
    """The documentation: every Markdown file."""
    return [path for path in files() if path.suffix == ".md"]


def manifests() -> list[Path]:
    """The manifest of every app, the example's too."""
    return [path for path in files() if path.name == "manifest.toml"]


def pyproject() -> dict[str, Any]:
    """The project's declarations."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def code_blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of one language."""
    return [code for spoken, code in _FENCE.findall(page.read_text(encoding="utf-8")) if spoken == language]


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead, outside of code."""
    prose = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    return [target for found in _LINK.findall(prose) for target in found if target]
