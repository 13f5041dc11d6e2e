"""Grants between enterprises: what holds when, for whom, and that an end is an end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.grants import BadGrantError, Offer
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import Share

from .conftest import Clock


@pytest.fixture
def offer(clock: Clock) -> Offer:
    """Zinc sees the temperatures of copper's smelter for the next hour."""
    now = clock.time
    kinds = frozenset({"temperature"})
    return Offer("copper", "zinc", "smelter", kinds, now - timedelta(days=30), now, now + timedelta(hours=1), "Heat")


async def test_a_grant_holds_from_its_beginning_to_its_end(people: Identity, clock: Clock, offer: Offer) -> None:
    begins = clock.time + timedelta(minutes=10)
    await people.grants.make(replace(offer, begins_at=begins), actor="anna")
    seen = []
    for _ in range(7):
        seen.append(len(await people.grants.in_effect("zinc")))
        clock.forward(minutes=10)
    assert seen == [0, 1, 1, 1, 1, 1, 0]


async def test_only_the_consumer_gets_what_was_granted(people: Identity, offer: Offer) -> None:
    await people.grants.make(offer, actor="anna")
    share = Share("copper", "smelter", frozenset({"temperature"}), offer.data_from)
    assert await people.grants.in_effect("zinc") == (share,)
    assert [await people.grants.in_effect(tenant) for tenant in ("copper", "lead", None)] == [(), (), ()]


async def test_a_revoked_grant_holds_no_longer(people: Identity, clock: Clock, offer: Offer) -> None:
    number = await people.grants.make(offer, actor="anna")
    assert len(await people.grants.in_effect("zinc")) == 1
    await people.grants.revoke(number, " no longer needed ", actor="anna")
    assert await people.grants.in_effect("zinc") == ()
    kept = await people.grants.grant(number)
    assert (kept.revoked_by, kept.revoked_at, kept.revocation) == ("anna", clock.time, "no longer needed")
    with pytest.raises(BadGrantError, match="over already"):
        await people.grants.revoke(number, "", actor="anna")


async def test_a_grant_that_is_over_cannot_be_revoked(people: Identity, clock: Clock, offer: Offer) -> None:
    number = await people.grants.make(offer, actor="anna")
    clock.forward(hours=1)
    with pytest.raises(BadGrantError, match="over already"):
        await people.grants.revoke(number, "", actor="anna")
    with pytest.raises(NotFoundError):
        await people.grants.revoke(4711, "", actor="anna")


async def test_bad_grants_are_not_made(people: Identity, clock: Clock, offer: Offer) -> None:
    for bad, why in (
        (replace(offer, consumer="copper"), "same enterprise"),
        (replace(offer, ends_at=offer.begins_at), "end before it begins"),
        (replace(offer, begins_at=clock.time - timedelta(days=2), ends_at=clock.time), "is over already"),
        (replace(offer, purpose=" "), "say what the data are for"),
    ):
        with pytest.raises(BadGrantError, match=why):
            await people.grants.make(bad, actor="anna")
    assert list(await people.grants.all()) == []


async def test_those_between_others_are_not_listed(people: Identity, offer: Offer) -> None:
    await people.grants.make(offer, actor="anna")
    for tenant, number in (("copper", 1), ("zinc", 1), ("lead", 0)):
        assert len(await people.grants.all(frozenset({tenant}))) == number
