"""The reader's language: `_()` in English, answered in theirs.

Texts are gettext message ids in English; translations are read at start from `locale/<language>.po` of the shell and
of each app. Which language is spoken follows from where the code runs: a page's client, or `speaking()` around a
REST answer.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from babel.core import UnknownLocaleError, negotiate_locale
from babel.messages.pofile import read_po
from nicegui import Client
from nicegui.slot import Slot
from starlette.requests import Request

from athanor.kernel.plant.model import Text

DEFAULT = "en"
LANGUAGES: Mapping[str, str] = {"en": "English", "zh_CN": "中文"}  # each in its own words
COOKIE = "athanor_language"

_catalogues: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES if language != DEFAULT}
_spoken: ContextVar[str | None] = ContextVar("athanor_language", default=None)
_CLIENT_KEY = "athanor_language"
_fallback = DEFAULT


def add_catalogue(folder: Path) -> None:
    """Read the translations in `folder`, named `<language>.po`; a folder without any adds nothing."""
    for language, catalogue in _catalogues.items():
        path = folder / f"{language}.po"
        if not path.is_file():
            continue
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id and isinstance(message.id, str) and isinstance(message.string, str) and message.string:
                    catalogue.setdefault(message.id, message.string)


add_catalogue(Path(__file__).with_name("locale"))


def _(message: str) -> str:
    """The message in the reader's language; in English where nobody translated it."""
    return _catalogues.get(current_language(), {}).get(message, message)


def text_of(name: Text) -> str:
    """A name of the plant model in the reader's language, else in English, else in the first there is."""
    return name.get(current_language()) or name.get(DEFAULT) or next(iter(name.values()), "")


def current_language() -> str:
    """What is spoken here and now."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken
    client = _current_client()
    return DEFAULT if client is None else client.storage.get(_CLIENT_KEY, DEFAULT)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak `language` within the block. For answers that no page's client stands behind."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def speak_on_page(client: Client, language: str) -> None:
    """Speak `language` on this page from now on, in its event handlers and timers too."""
    client.storage[_CLIENT_KEY] = language


def fall_back_to(language: str) -> None:
    """Speak this to who chose none and whose browser asks for none of ours."""
    global _fallback  # noqa: PLW0603 (one server, one setting)
    _fallback = language


def language_of(request: Request, preferred: str | None = None) -> str:
    """The language that a request asks for: its cookie, else the user's own setting, else what the browser accepts."""
    for chosen in (request.cookies.get(COOKIE), preferred):
        if chosen in LANGUAGES:
            return str(chosen)
    return _accepted(request.headers.get("accept-language", "")) or _fallback


def _accepted(header: str) -> str | None:
    """The best of our languages for an Accept-Language header, such as `zh-CN,zh;q=0.9,en;q=0.8`."""
    wishes: list[tuple[float, str]] = []
    for part in header.split(","):
        name, _separator, weight = part.strip().partition(";q=")
        try:
            wishes.append((float(weight or 1), name.strip()))
        except ValueError:
            continue  # a weight that is no number: the browser's mistake, its other wishes still count
    for _weight, name in sorted(wishes, key=lambda wish: -wish[0]):
        if name.lower().split("-")[0] == "zh":
            return "zh_CN"
        try:
            found = negotiate_locale([name.replace("-", "_")], list(LANGUAGES))
        except (UnknownLocaleError, ValueError):
            continue  # a language that nobody knows cannot be ours
        if found:
            return found
    return None


def _current_client() -> Client | None:
    stack = Slot.get_stack()
    return stack[-1].parent.client if stack else None
