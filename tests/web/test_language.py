"""Every text a person sees is translated, each in one way; and the right language is spoken."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from starlette.requests import Request

import athanor
from athanor.web.language import _, language_of, speaking, text_of

SOURCE = Path(athanor.__file__).parent
PARTS = [SOURCE / "web", *sorted(path.parent for path in (SOURCE / "apps").glob("*/manifest.toml"))]


def messages(folder: Path) -> Iterator[str]:
    """Every text within `_()` below a folder."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
                [argument] = node.args
                assert isinstance(argument, ast.Constant), f"{file}:{node.lineno}: _() takes a text, not a computation"
                yield argument.value


def translations(folder: Path) -> dict[str, str]:
    with (folder / "locale" / "zh_CN.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def placeholders(text: str) -> set[str | None]:
    return {name for _literal, name, _spec, _conversion in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("folder", PARTS, ids=lambda folder: folder.name)
def test_every_text_is_translated_and_nothing_else(folder: Path) -> None:
    known = translations(SOURCE / "web")
    own = {} if folder.name == "web" else translations(folder)
    wanted = set(messages(folder))
    assert wanted - known.keys() - own.keys() == set()
    assert (known if folder.name == "web" else own).keys() - wanted == set()


@pytest.mark.parametrize("folder", PARTS, ids=lambda folder: folder.name)
def test_translations_keep_their_placeholders(folder: Path) -> None:
    wrong = {
        text for text, translated in translations(folder).items() if placeholders(text) != placeholders(translated)
    }
    assert wrong == set()


def test_a_text_is_translated_in_one_way_only() -> None:
    seen: dict[str, str] = {}
    twofold = set()
    for folder in PARTS:
        for text, translated in translations(folder).items():
            if seen.setdefault(text, translated) != translated:
                twofold.add(text)
    assert twofold == set()


def asking(*, cookie: str = "", accept: str = "") -> Request:
    headers = [(b"cookie", f"athanor_language={cookie}".encode())] if cookie else []
    return Request({"type": "http", "headers": [*headers, (b"accept-language", accept.encode())]})


@pytest.mark.parametrize(
    ("cookie", "preferred", "accept", "spoken"),
    [
        ("zh_CN", "en", "en-US", "zh_CN"),
        ("", "zh_CN", "en-US", "zh_CN"),
        ("klingon", None, "zh-TW,zh;q=0.9", "zh_CN"),
        ("", None, "de-DE,de;q=0.9,en-GB;q=0.8,zh;q=0.1", "en"),
        ("", None, "zh;q=rubbish,en;q=0.1", "en"),
    ],
)
def test_the_cookie_wins_over_the_account_over_the_browser(
    cookie: str, preferred: str | None, accept: str, spoken: str
) -> None:
    assert language_of(asking(cookie=cookie, accept=accept), preferred) == spoken


def test_outside_a_page_the_language_is_the_one_set_around() -> None:
    with speaking("zh_CN"):
        assert _("Sign in") == "登录"
        assert text_of({"en": "Furnace", "zh_CN": "炉"}) == "炉"
    assert _("Sign in") == "Sign in"


def test_a_name_without_the_language_is_shown_in_english() -> None:
    with speaking("zh_CN"):
        assert text_of({"en": "Furnace"}) == "Furnace"
        assert text_of({"de": "Ofen"}) == "Ofen"
