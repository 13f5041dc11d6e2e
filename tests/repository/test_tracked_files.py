"""What no file of the repository may hold."""

import re
from pathlib import Path

import pytest

from .tree import files, named

FORBIDDEN = {
    "a package index's address": re.compile(r"\b(?:pypi|pythonhosted|npmjs)\.(?:org|com|io)\b", re.IGNORECASE),
    "an option that names a package index": re.compile(
        r"--(?:extra-)?index-url|--find-links|^registry ?=", re.MULTILINE
    ),
    "a path of someone's machine": re.compile(r"(?<![\w.})])/(?:root|work|home/\w+|Users/\w+)/\w"),
    "work left for later": re.compile(r"\b(?:TODO|FIXME|XXX)\b"),
}
TEXT = [
    path
    for path in files()
    if path.suffix not in {".png", ".ico", ".woff2", ".parquet"} and path != Path(__file__).resolve()
]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds(what: str) -> None:
    found = [
        f"{named(path)}: {match.group()}"
        for path in TEXT
        for match in FORBIDDEN[what].finditer(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
