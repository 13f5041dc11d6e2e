"""Apps of all kinds of makers: the good ones load, each bad one is named with its reason and left out."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from athanor.kernel.apps.registry import GROUP, load_apps

MANIFEST = """
id = "{id}"
title = {{en = "Test"}}
summary = {{en = "A test."}}
order = {order}
needs = ["plant"]
permissions = ["{id}.view"]
subscribes = ["telemetry.batch"]
"""
SETUP = """
def build() -> None: ...
async def handle(event) -> None: ...
def setup(app) -> None:
    app.page("/{id}", build, permission="{id}.view")
    app.on("telemetry.batch", handle)
"""


class Maker:
    """Writes packages as `pip install` leaves them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.packages: list[str] = []

    def app(self, name: str, *, manifest: str | None = None, code: str | None = None, order: int = 500) -> EntryPoint:
        """An app; whole, unless told otherwise."""
        package = self._folder / name
        package.mkdir()
        self.packages.append(name)
        manifest = MANIFEST.format(id=name, order=order) if manifest is None else manifest
        (package / "manifest.toml").write_text(manifest, encoding="utf-8")
        (package / "__init__.py").write_text(SETUP.format(id=name) if code is None else code, encoding="utf-8")
        return EntryPoint(name, name, GROUP)


@pytest.fixture
def maker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Maker(tmp_path)
    yield made
    for name in made.packages:
        sys.modules.pop(name, None)


def test_our_own_apps_all_load() -> None:
    registry = load_apps()
    assert registry.failures == ()
    assert {"overview", "trends", "datahealth"} <= {app.manifest.id for app in registry.apps}


def test_apps_come_in_the_order_of_the_navigation(maker: Maker) -> None:
    found = [maker.app("app_c", order=2), maker.app("app_b", order=1), maker.app("app_a", order=2)]
    registry = load_apps(found)
    assert [app.manifest.id for app in registry.apps] == ["app_b", "app_a", "app_c"]
    (page,) = registry.apps[0].pages
    assert (page.path, page.permission) == ("/app_b", "app_b.view")
    assert [one.topic for one in registry.apps[0].subscriptions] == ["telemetry.batch"]


@pytest.mark.parametrize(
    ("broken", "code", "reason"),
    [
        ({"code": "import nothing_of_this_name"}, "apps.failed", "ModuleNotFoundError"),
        (
            {"code": "def setup(app) -> None:\n    raise RuntimeError('no luck')"},
            "apps.failed",
            "RuntimeError: no luck",
        ),
        ({"code": "this is no Python"}, "apps.failed", "SyntaxError"),
        ({"code": "raise SystemExit(3)"}, "apps.failed", "SystemExit"),
        ({"code": ""}, "apps.failed", "has no attribute 'setup'"),
        ({"manifest": ""}, "apps.bad-manifest", "Field required"),
        ({"manifest": "id = "}, "apps.bad-manifest", "Invalid value"),
        ({"manifest": MANIFEST.format(id="bad_app", order=1) + 'colour = "red"'}, "apps.bad-manifest", "colour"),
        ({"manifest": MANIFEST.format(id="bad_app", order=1).replace("plant", "root")}, "apps.bad-manifest", "needs"),
        (
            {"manifest": MANIFEST.format(id="another", order=1)},
            "apps.bad-declaration",
            "entry point is called 'bad_app'",
        ),
        (
            {"code": SETUP.format(id="bad_app").replace("bad_app.view", "bad_app.edit")},
            "apps.bad-declaration",
            "bad_app.edit, which its manifest does not list",
        ),
        (
            {"code": SETUP.format(id="bad_app").replace('"/bad_app"', '"/sign-in"')},
            "apps.bad-declaration",
            "/sign-in lies outside /bad_app",
        ),
        (
            {"code": SETUP.format(id="bad_app").replace("telemetry.batch", "alarms.alarm.raised")},
            "apps.bad-declaration",
            "alarms.alarm.raised, which its manifest does not subscribe to",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_app_is_named_and_left_out_and_the_others_load(
    maker: Maker, broken: dict[str, str], code: str, reason: str
) -> None:
    registry = load_apps([maker.app("app_a"), maker.app("bad_app", **broken), maker.app("zz_app")])
    assert [app.manifest.id for app in registry.apps] == ["app_a", "zz_app"]
    (failure,) = registry.failures
    assert failure.code == code
    assert reason in str(failure)


def test_an_app_whose_package_is_gone_is_named(maker: Maker) -> None:
    gone = [EntryPoint("gone", "gone", GROUP), EntryPoint("deep", "gone.below.it", GROUP)]
    registry = load_apps([*gone, maker.app("app_a")])
    assert [app.manifest.id for app in registry.apps] == ["app_a"]
    assert sorted(failure.code for failure in registry.failures) == ["apps.bad-manifest", "apps.failed"]


def test_an_id_that_is_taken_goes_to_the_first(maker: Maker) -> None:
    first = maker.app("app_a")
    registry = load_apps([first, EntryPoint("app_a", "app_a", GROUP)])
    assert [app.manifest.id for app in registry.apps] == ["app_a"]
    (failure,) = registry.failures
    assert (failure.code, "brings an id that is taken" in str(failure)) == ("apps.bad-declaration", True)
