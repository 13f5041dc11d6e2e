"""How things stand, for the park's administrator and for an enterprise's."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from athanor.apps.security.services.posture import Concern, Posture, posture
from athanor.kernel.identity.sessions import FREE_ATTEMPTS, SignInRefusedError
from athanor.kernel.ingest.sources import EdgeReport
from athanor.kernel.transport import Transport

from .conftest import PASSWORD, House


async def stands(house: House, login: str = "anna") -> Posture:
    return await posture(house.database, house.sources, house.transport, await house.user(login), house.time)


def named(found: Posture, concern: Concern) -> list[str]:
    return [one.who for one in found.of(concern)]


async def test_a_login_that_is_locked_and_the_refusals_before_are_counted(house: House) -> None:
    for _attempt in range(FREE_ATTEMPTS + 1):
        with pytest.raises(SignInRefusedError):
            await house.identity.sessions.sign_in("vera", "wrong password")
    with pytest.raises(SignInRefusedError):
        await house.identity.sessions.sign_in("nobody", "wrong password")
    found = await stands(house)
    assert (found.locked, found.refused_sign_ins) == (1, FREE_ATTEMPTS + 2)
    assert (await stands(house, "chen")).refused_sign_ins == FREE_ATTEMPTS + 1
    assert (await stands(house, "chen")).locked == 1
    house.forward(days=1, seconds=1)
    assert (await stands(house)).refused_sign_ins == 0


async def test_administrators_without_a_second_factor_are_named(house: House) -> None:
    assert named(await stands(house), Concern.NO_SECOND_FACTOR) == ["anna", "chen"]
    assert named(await stands(house, "chen"), Concern.NO_SECOND_FACTOR) == ["chen"]


async def test_accounts_that_nobody_uses_are_named_and_disabled_ones_are_not(house: House) -> None:
    house.forward(days=80)
    await house.identity.sessions.sign_in("vera", PASSWORD)
    house.forward(days=11)
    found = await stands(house)
    assert named(found, Concern.UNUSED_ACCOUNT) == ["chen"]  # anna has just been asked as
    await house.identity.accounts.disable("chen", actor="anna")
    assert named(await stands(house), Concern.UNUSED_ACCOUNT) == []


async def test_tokens_that_end_soon_or_lie_idle_are_named(house: House) -> None:
    for name, lasts in (("soon", timedelta(days=10)), ("idle", timedelta(days=360))):
        await house.identity.tokens.make("chen", name, ["trends.view"], house.time + lasts, actor="chen")
    found = await stands(house, "chen")
    assert [(one.who, one.what) for one in found.of(Concern.TOKEN_ENDS)] == [("chen", "soon")]
    assert found.of(Concern.UNUSED_TOKEN) == []
    house.forward(days=91)
    found = await stands(house, "chen")
    assert [one.what for one in found.of(Concern.UNUSED_TOKEN)] == ["idle"]
    assert found.of(Concern.TOKEN_ENDS) == []


async def test_edges_and_versions_are_the_parks_alone(house: House) -> None:
    house.sources.take(EdgeReport(edge="edge-1", version="0.0.1", at=house.time), edge="edge-1", at=house.time)
    house.forward(minutes=1)
    found = await stands(house)
    assert named(found, Concern.EDGE_SILENT) == named(found, Concern.EDGE_VERSION) == ["edge-1"]
    assert [name for name, _version in found.versions][:2] == ["Athanor", "Python"]
    assert all(version for _name, version in found.versions)
    of_enterprise = await stands(house, "chen")
    assert (of_enterprise.versions, of_enterprise.edges, named(of_enterprise, Concern.EDGE_SILENT)) == ([], 0, [])


async def test_a_server_that_is_reached_in_the_clear_is_named_to_the_park(house: House) -> None:
    assert named(await stands(house), Concern.IN_THE_CLEAR) == []
    house.transport = Transport("10.0.0.5")
    assert named(await stands(house), Concern.IN_THE_CLEAR) == ["10.0.0.5"]
    assert named(await stands(house, "chen"), Concern.IN_THE_CLEAR) == []
    house.transport = Transport("10.0.0.5", Path("none.pem"))
    assert named(await stands(house), Concern.BAD_CERTIFICATE) == ["none.pem"]


async def test_a_certificate_that_ends_soon_is_named(house: House, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "athanor.example")])
    ends_at = house.time + timedelta(days=31)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, house.time, ends_at)
    file = tmp_path / "server.pem"
    file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    house.transport = Transport("10.0.0.5", file)
    found = await stands(house)
    assert (found.certificate_ends_at, found.of(Concern.CERTIFICATE_ENDS)) == (ends_at, [])
    house.forward(days=2)
    assert named(await stands(house), Concern.CERTIFICATE_ENDS) == [str(file)]
