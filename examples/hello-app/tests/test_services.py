"""What Hello shows, and that it keeps the rules of an app."""

from pathlib import Path

import athanor_hello
from athanor_hello.services import power_tags

from athanor.kernel.apps.app import App
from athanor.kernel.apps.manifest import read_manifest
from athanor.kernel.plant.model import Level, Node, Plant, Tag, Tenant

MANIFEST = Path(athanor_hello.__file__).with_name("manifest.toml")


def plant(*tags: Tag) -> Plant:
    """One enterprise with one site that has these tags."""
    site = Node("works", Level.SITE, {"en": "Works"}, tenant="copper", tags=tags)
    return Plant("park", {"en": "Park"}, "UTC", {"copper": Tenant("copper", {"en": "Copper"})}, {"works": site})


def test_it_shows_the_total_where_an_enterprise_declares_one() -> None:
    feeder = Tag("works.feeder", {"en": "Feeder"}, "kW")
    total = Tag("works.power", {"en": "Power"}, "kW", role="tenant.power")
    assert power_tags(plant(feeder, total)) == [total]


def test_without_a_total_it_shows_what_is_measured_in_kw() -> None:
    feeder = Tag("works.feeder", {"en": "Feeder"}, "kW")
    level = Tag("works.level", {"en": "Level"}, "m")
    assert power_tags(plant(level, feeder)) == [feeder]


def test_it_declares_one_page_that_its_manifest_allows() -> None:
    app = App(read_manifest(MANIFEST))
    athanor_hello.setup(app)
    assert [page.path for page in app.pages] == ["/hello"]
