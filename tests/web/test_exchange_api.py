"""Data products called over HTTP from the real server: by session, by token, and refused."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pyarrow as pa
import pytest
from sqlalchemy import select

from athanor.apps.exchange.domain.offer import Contract
from athanor.apps.exchange.models import CallRow
from athanor.apps.exchange.services import access, publishing, tokens
from athanor.kernel.identity.user import User
from athanor.web.sessions import COOKIE

from .site import PASSWORD, Site

FURNACE = "smelter.smelting.bath.furnace"
PATHS = (f"{FURNACE}.power", f"{FURNACE}.temperature")
OWNER = User(0, "olga", "Olga", ("engineer",), "copper")
ASKER = User(0, "karl", "Karl", ("operator",), "carbon")
ARROW = "application/vnd.apache.arrow.stream"


class Product:
    """A product of the copper works, and a grant for the carbon works."""

    def __init__(self, site: Site, *, quota: int | None = None) -> None:
        self.site = site
        self.id, self.grant, self.token = site.wait_for(self._make(quota))

    async def _make(self, quota: int | None) -> tuple[int, int, str]:
        platform, now = self.site.platform, datetime.now(UTC)
        wish = publishing.Wish(
            name={"en": "Furnace"},
            description={},
            paths=PATHS,
            step="15m",
            how="mean",
            back_days=1.0,
            purpose="Planning",
            contact="Olga",
            contract=Contract(now - timedelta(days=2)),
        )
        async with platform.database.session() as session:
            plant = platform.plant.visible_to(OWNER.tenants)
            row = await publishing.publish(session, plant, platform.historian, OWNER, wish, now)
            until = now + timedelta(days=1)
            grant = await access.request_access(session, ASKER, row.id, purpose="Kilns", ends_at=until, now=now)
            await access.approve(session, OWNER, grant.id, reason="", now=now, quota=quota)
            return row.id, grant.id, await tokens.make_token(session, ASKER, grant.id, name="planner", now=now)

    def get(self, *, hours: float = 2, token: str | None = None, accept: str = "application/json") -> httpx.Response:
        """Call it by a token."""
        start = datetime.now(UTC) - timedelta(hours=hours)
        headers = {"Authorization": f"Bearer {self.token if token is None else token}", "Accept": accept}
        return httpx.get(self.address, params={"from": start.isoformat()}, headers=headers)

    @property
    def address(self) -> str:
        return f"{self.site.url}/api/v1/exchange/products/{self.id}/data"

    def calls(self) -> list[CallRow]:
        async def ask() -> list[CallRow]:
            async with self.site.platform.database.reading() as session:
                return list(await session.scalars(select(CallRow).where(CallRow.product_id == self.id)))

        return self.site.wait_for(ask())


@pytest.fixture(scope="module")
def product(site: Site) -> Product:
    return Product(site)


@pytest.fixture(scope="module")
def karl(site: Site) -> Iterator[httpx.Client]:
    """The consumer's session."""
    with httpx.Client(cookies={COOKIE: site.admit("karl-api", "operator", "carbon")}) as client:
        yield client


def code(answer: httpx.Response) -> str:
    return str(answer.json()["detail"]["code"])


def test_a_program_gets_the_products_tags_in_its_step_as_arrow_csv_and_json(product: Product) -> None:
    as_json = product.get().json()
    assert {row["tag"] for row in as_json} == set(PATHS)
    assert {row["unit"] for row in as_json} == {"kW", "degC"}
    assert all(datetime.fromisoformat(row["time"]).minute % 15 == 0 for row in as_json)
    as_arrow = pa.ipc.open_stream(product.get(accept=ARROW).content).read_all()
    as_csv = list(csv.DictReader(io.StringIO(product.get(accept="text/csv").text)))
    assert as_arrow.num_rows == len(as_json) == len(as_csv)


def test_the_consumers_people_call_by_their_session_and_see_no_more_than_before_elsewhere(
    product: Product, karl: httpx.Client
) -> None:
    start = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert karl.get(product.address, params={"from": start}).status_code == 200
    elsewhere = karl.get(f"{product.site.url}/api/v1/series", params={"tag": PATHS[0], "from": start})
    assert elsewhere.status_code == 404


def test_every_call_is_counted_with_its_rows_and_bytes(product: Product) -> None:
    before = len(product.calls())
    answer = product.get()
    call = product.calls()[-1]
    assert len(product.calls()) == before + 1
    assert (call.caller, call.rows, call.sent_bytes, call.is_whole) == (
        "token planner",
        len(answer.json()),
        len(answer.content),
        True,
    )
    assert call.duration_ms is not None


def test_a_stranger_and_a_third_enterprise_get_nothing(product: Product) -> None:
    start = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert httpx.get(product.address, params={"from": start}).status_code == 401
    assert code(product.get(token="wrong")) == "exchange.unknown-token"
    session = product.site.wait_for(product.site.platform.identity.sessions.sign_in("anna", PASSWORD))
    with httpx.Client(cookies={COOKIE: session}) as park:  # of the park, which was given nothing
        answer = park.get(product.address, params={"from": start})
    assert (answer.status_code, code(answer)) == (403, "exchange.no-access")


def test_a_token_opens_no_other_route(product: Product) -> None:
    headers = {"Authorization": f"Bearer {product.token}"}
    start = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for address in ("/api/v1/series", "/api/v1/tags", "/api/v1/current", "/api/v1/exchange/products/99/data"):
        asked = {"tag": PATHS[0], "from": start}
        answer = httpx.get(f"{product.site.url}{address}", params=asked, headers=headers)
        assert answer.status_code in {401, 404}
    other = Product(product.site)
    assert code(other.get(token=product.token)) == "exchange.no-access"


def test_beyond_the_products_reach_is_refused(product: Product) -> None:
    answer = product.get(hours=30)
    assert (answer.status_code, code(answer)) == (403, "exchange.beyond-product")
    start = datetime.now(UTC).isoformat()
    swapped = httpx.get(
        product.address,
        params={"from": start, "to": "2020-01-01T00:00:00Z"},
        headers={"Authorization": f"Bearer {product.token}"},
    )
    assert code(swapped) == "data.bad-range"


def test_the_days_quota_is_the_end(site: Site) -> None:
    product = Product(site, quota=1)
    assert product.get().status_code == 200
    answer = product.get()
    assert (answer.status_code, code(answer)) == (429, "exchange.quota-used")


def test_a_revoked_grant_refuses_the_next_call(site: Site) -> None:
    product = Product(site)

    async def revoke() -> None:
        async with site.platform.database.session() as session:
            await access.revoke(session, OWNER, product.grant, reason="Over", now=datetime.now(UTC))

    assert product.get().status_code == 200
    site.wait_for(revoke())
    answer = product.get()
    assert (answer.status_code, code(answer)) == (403, "exchange.no-access")


def test_the_manual_of_routes_names_the_call(site: Site, karl: httpx.Client) -> None:
    paths = karl.get(f"{site.url}/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/exchange/products/{product_id}/data" in paths
