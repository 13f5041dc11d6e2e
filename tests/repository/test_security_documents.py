"""What the pages about security give as evidence is there."""

import re
from pathlib import Path

import pytest

from .tree import ROOT

PAGES = [
    ROOT / "docs" / "hardening.md",
    ROOT / "docs" / "hardening.zh-CN.md",
    ROOT / "docs" / "asvs.md",
    ROOT / "docs" / "security.md",
    ROOT / "SECURITY.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tests_that_are_given_as_evidence_exist(page: Path) -> None:
    missing = []
    for name in re.findall(r"`(tests/[^`]+)`", page.read_text(encoding="utf-8")):
        file, _, function = name.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8") if (ROOT / file).is_file() else ""
        if not text or (function and f"def {function}(" not in text):
            missing.append(name)
    assert missing == []


def test_both_languages_of_the_hardening_page_say_the_same_of_each_control() -> None:
    english, chinese = (page.read_text(encoding="utf-8") for page in PAGES[:2])
    states = {"implemented": "已实现", "partly": "部分实现", "the operator's": "运维方负责", "missing": "缺失"}
    counted = {word: len(re.findall(rf"\| {re.escape(word)} \|", english)) for word in states}
    assert sum(counted.values()) > 70
    assert counted == {word: len(re.findall(rf"\| {other} \|", chinese)) for word, other in states.items()}
