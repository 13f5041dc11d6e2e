"""Examples of every route and page, by which `test_access_walk.py` proves who may call what.

One module for each app, and `house` for what belongs to no app. Each has EXAMPLES, and where these name things that
must exist, `prepare(owner, site)`: it makes them as an administrator of the copper works and tells their names by the
keys that EXAMPLES fill in as `{key}`.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

FURNACE = "smelter.smelting.bath.furnace"
POWER = f"{FURNACE}.power"
PARK_ONLY = 403  # what concerns every enterprise is looked after by the park's own people
MARKS = ("smelter", "Smelter", "Bath temperature", "Matte made", "熔炼", "of-the-copper-works")  # never for others


@dataclass(frozen=True, slots=True)
class Example:
    """How one route or page is called.

    Parameters
    ----------
    route
        As it is declared: `/api/v1/jobs/{job_id}`.
    permission
        Who lacks it is refused; None where signing in is enough, and what is answered depends on who one is.
    path, query, json, content
        What is sent; texts may hold `{key}` of something prepared.
    names
        Whether something of the copper works is asked for: then others get 403 or 404. Else they may get an answer,
        and nothing of the copper works is in it.
    is_published
        What its owner has published for the whole park: all who may look see it.
    owner_gets
        What an administrator of the copper works is answered, where it is a GET that names something.
    """

    route: str
    permission: str | None
    method: str = "GET"
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    names: bool = False
    is_published: bool = False
    owner_gets: int = 200

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.route

    @property
    def is_page(self) -> bool:
        return not self.route.startswith("/api/")

    def request(self, prepared: Mapping[str, str]) -> dict[str, Any]:
        """What httpx sends."""
        address = self.route
        for name, value in self.path.items():
            address = address.replace(f"{{{name}}}", _filled(value, prepared))
        return {
            "method": self.method,
            "url": address,
            "params": _filled(self.query, prepared),
            "json": _filled(self.json, prepared),
            "content": self.content,
            "headers": dict(self.headers),
        }


def modules() -> Iterator[Any]:
    """Every module of examples."""
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        yield importlib.import_module(found.name)


def examples() -> list[Example]:
    """Of all modules."""
    return [example for module in modules() for example in module.EXAMPLES]


def sent(request: Mapping[str, Any]) -> set[str]:
    """Every text of a request: an answer may repeat it."""
    return set(_texts([request["url"].rpartition("/")[2], request["params"], request["json"]]))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _texts(part)


def _filled(value: Any, prepared: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for key, text in prepared.items():
            value = value.replace(f"{{{key}}}", text)
        return value
    if isinstance(value, Mapping):
        return {key: _filled(part, prepared) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_filled(part, prepared) for part in value]
    return value
