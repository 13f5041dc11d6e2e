"""Sign-in by an OpenID provider: a real one on loopback, gone through as a browser does."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import LoginTakenError, Profile
from athanor.kernel.identity.directories import Admission, DirectoryUnreachableError, NotAdmittedError, rules_of
from athanor.kernel.identity.oidc import OidcPlace, OidcProvider, OpenIdRefusedError
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import Where
from athanor.kernel.vault import Vault

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the provider's own libraries deprecate each other
    import oidc_provider_mock as provider_of_openid

# The provider's own libraries deprecate each other while they answer.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

BACK = "http://127.0.0.1:1/sign-in/openid/back"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    li = {"preferred_username": "Li", "name": "李娜", "email": "li@x.cn", "groups": ["ops"]}
    people = [
        provider_of_openid.User(sub="1001", claims=li),
        provider_of_openid.User(sub="1002", claims={"preferred_username": "guest", "groups": []}),
    ]
    with provider_of_openid.run_server_in_thread(user_claims=people) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def place(issuer: str) -> OidcPlace:
    return OidcPlace(issuer, "athanor", "secret", ("openid", "profile", "email"), "preferred_username", "groups")


@pytest.fixture
async def identity(database: Database) -> Identity:
    return Identity(database, Vault(Fernet.generate_key()), passwords=Passwords(QUICK))


def provider_at(place: OidcPlace, database: Database, identity: Identity) -> OidcProvider:
    rules = rules_of({"ops": "operator@copper"})
    return OidcProvider(place, Admission("oidc", database, identity.roles, rules, lambda: datetime.now(UTC)))


@pytest.fixture
def provider(place: OidcPlace, database: Database, identity: Identity) -> OidcProvider:
    return provider_at(place, database, identity)


async def approved(address: str, subject: str) -> dict[str, str]:
    """What the provider sends the browser back with, once the person has signed in there."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def test_who_the_provider_knows_is_signed_in_as_their_groups_say(
    provider: OidcProvider, identity: Identity
) -> None:
    address, begun = await provider.begin(BACK, "/trends")
    row = await provider.finish(await approved(address, "1001"), begun)
    user = await identity.sessions.user_of(await identity.sessions.begin_for(row, Where()))
    assert user is not None
    assert (user.login, user.name, user.roles, user.tenant) == ("li", "李娜", ("operator",), "copper")
    address, begun = await provider.begin(BACK, "/")
    assert (await provider.finish(await approved(address, "1001"), begun)).id == user.id, "the second time it is theirs"


async def test_who_has_no_group_here_is_not_admitted(provider: OidcProvider) -> None:
    address, begun = await provider.begin(BACK, "/")
    with pytest.raises(NotAdmittedError, match="none of their groups"):
        await provider.finish(await approved(address, "1002"), begun)


async def test_a_code_works_once_and_for_its_own_sign_in_alone(provider: OidcProvider) -> None:
    address, begun = await provider.begin(BACK, "/")
    given = await approved(address, "1001")
    _address, other = await provider.begin(BACK, "/")
    with pytest.raises(OpenIdRefusedError, match="another sign-in"):
        await provider.finish(given, other)
    with pytest.raises(OpenIdRefusedError):
        await provider.finish({**given, "state": other.state}, other)  # the verifier is not the one (RFC 7636)
    address, begun = await provider.begin(BACK, "/")
    given = await approved(address, "1001")
    with pytest.raises(OpenIdRefusedError, match="nonce"):
        await provider.finish(given, replace(begun, nonce="another"))
    with pytest.raises(OpenIdRefusedError):
        await provider.finish(given, begun)  # it was used


async def test_a_refusal_and_rubbish_are_told(provider: OidcProvider) -> None:
    _address, begun = await provider.begin(BACK, "/")
    with pytest.raises(OpenIdRefusedError, match="access_denied"):
        await provider.finish({"state": begun.state, "error": "access_denied"}, begun)
    with pytest.raises(OpenIdRefusedError):
        await provider.finish({"state": begun.state, "code": "rubbish"}, begun)
    with pytest.raises(OpenIdRefusedError):
        await provider.finish({}, begun)


async def test_a_token_for_another_program_is_refused(place: OidcPlace, database: Database, identity: Identity) -> None:
    other = provider_at(replace(place, client_id="another"), database, identity)
    address, begun = await other.begin(BACK, "/")
    given = await approved(address, "1001")
    ours = provider_at(place, database, identity)
    with pytest.raises(OpenIdRefusedError):
        await ours.finish(given, begun)


async def test_a_local_account_is_never_taken_over(provider: OidcProvider, identity: Identity) -> None:
    await identity.accounts.create("li", Profile("Local", ("administrator",)), "correct horse battery", actor="test")
    address, begun = await provider.begin(BACK, "/")
    with pytest.raises(LoginTakenError):
        await provider.finish(await approved(address, "1001"), begun)


async def test_a_provider_that_is_away_or_is_none_is_named(
    place: OidcPlace, database: Database, identity: Identity
) -> None:
    away = provider_at(replace(place, issuer="http://127.0.0.1:1"), database, identity)
    with pytest.raises(DirectoryUnreachableError, match=r"127\.0\.0\.1:1"):
        await away.begin(BACK, "/")
    other = provider_at(replace(place, issuer=f"{place.issuer}/nothing"), database, identity)
    with pytest.raises(DirectoryUnreachableError, match="/nothing"):
        await other.begin(BACK, "/")
