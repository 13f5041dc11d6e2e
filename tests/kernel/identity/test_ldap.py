"""Sign-in by a real OpenLDAP server."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.fernet import Fernet

from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import LoginTakenError, Profile
from athanor.kernel.identity.directories import Admission, DirectoryUnreachableError, NotAdmittedError, rules_of
from athanor.kernel.identity.ldap import LdapDirectory, LdapPlace
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import SignInRefusedError
from athanor.kernel.vault import Vault

from .slapd import BASE, ENGINEERS, OPERATORS, PASSWORD, Slapd, dn_of, free_port, slapd

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GROUPS = {OPERATORS: "operator@copper", ENGINEERS: "engineer,viewer"}


@pytest.fixture(scope="module")
def server(require_slapd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with slapd(require_slapd, tmp_path_factory.mktemp("slapd"), (free_port(), free_port())) as running:
        yield running


@pytest.fixture
def place(server: Slapd) -> LdapPlace:
    return LdapPlace(
        url=server.url,
        start_tls=False,
        ca_file=None,
        bind_dn=f"cn=athanor,{BASE}",
        bind_password="service password",
        people_base=f"ou=people,{BASE}",
        person_filter="(uid={login})",
        key_attribute="entryUUID",
        name_attribute="cn",
        email_attribute="mail",
        group_attribute="memberOf",
        groups_base=f"ou=groups,{BASE}",
        group_filter="(member={dn})",
    )


@pytest.fixture
async def identity(database: Database, place: LdapPlace) -> AsyncIterator[Identity]:
    identity = Identity(database, Vault(Fernet.generate_key()), passwords=Passwords(QUICK))
    directory = LdapDirectory(place, _admission(database, identity))
    identity.sessions.directories = (directory,)
    yield identity
    directory.close()


def _admission(database: Database, identity: Identity) -> Admission:
    return Admission("ldap", database, identity.roles, rules_of(GROUPS), lambda: datetime.now(UTC))


async def test_the_first_sign_in_makes_the_account_with_what_its_groups_give(identity: Identity) -> None:
    token = await identity.sessions.sign_in("li", PASSWORD)
    user = await identity.sessions.user_of(token)
    assert user is not None
    assert (user.login, user.name, user.roles, user.tenant) == ("li", "Li Na 李娜", ("operator",), "copper")
    account = await identity.accounts.account("li")
    assert (account.directory, account.profile.email) == ("ldap", "li@works.example")


async def test_a_change_of_groups_holds_from_the_next_sign_in(identity: Identity, server: Slapd) -> None:
    await identity.sessions.sign_in("wang", PASSWORD)
    with server.as_root() as root:
        root.modify(OPERATORS, {"member": [("MODIFY_ADD", [dn_of("wang")])]})
        root.modify(ENGINEERS, {"member": [("MODIFY_DELETE", [dn_of("wang")])]})
    try:
        user = await identity.sessions.user_of(await identity.sessions.sign_in("wang", PASSWORD))
        assert user is not None
        assert (user.roles, user.tenant) == (("operator",), "copper")
    finally:
        with server.as_root() as root:
            root.modify(ENGINEERS, {"member": [("MODIFY_ADD", [dn_of("wang")])]})
            root.modify(OPERATORS, {"member": [("MODIFY_DELETE", [dn_of("wang")])]})


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("li", "wrong password"),
        ("li", ""),
        ("nobody", PASSWORD),
        ("*", PASSWORD),
        ("l*", PASSWORD),
        ("li)(uid=*", PASSWORD),
        ("li)(|(uid=*", PASSWORD),
        ("li\x00", PASSWORD),
        ("", PASSWORD),
    ],
)
async def test_what_is_wrong_or_means_more_than_a_login_is_refused(
    identity: Identity, login: str, password: str
) -> None:
    with pytest.raises(SignInRefusedError):
        await identity.sessions.sign_in(login, password)


@pytest.mark.parametrize(("login", "reason"), [("none", "none of their groups"), ("both", "several enterprises")])
async def test_who_has_no_clear_standing_is_not_admitted(identity: Identity, login: str, reason: str) -> None:
    with pytest.raises(NotAdmittedError, match=reason):
        await identity.sessions.sign_in(login, PASSWORD)


async def test_a_local_account_is_never_taken_over(identity: Identity) -> None:
    await identity.accounts.create(
        "wang", Profile("Local Wang", ("administrator",)), "correct horse battery", actor="t"
    )
    with pytest.raises(SignInRefusedError):
        await identity.sessions.sign_in("wang", PASSWORD)
    assert await identity.sessions.sign_in("wang", "correct horse battery")
    person = await identity.sessions.directories[0].check("wang", PASSWORD)
    assert person is not None
    with pytest.raises(LoginTakenError):
        await identity.sessions.directories[0].admit(person)


async def test_a_disabled_account_stays_out_though_the_directory_knows_it(identity: Identity) -> None:
    await identity.accounts.create("boss", Profile("Boss", ("administrator",)), "correct horse battery", actor="t")
    await identity.sessions.sign_in("li", PASSWORD)
    await identity.accounts.disable("li", actor="boss")
    with pytest.raises(SignInRefusedError):
        await identity.sessions.sign_in("li", PASSWORD)


async def test_while_the_directory_is_away_local_accounts_sign_in_and_the_others_are_told(
    identity: Identity, server: Slapd
) -> None:
    await identity.accounts.create("anna", Profile("Anna", ("viewer",)), "correct horse battery", actor="t")
    await identity.sessions.sign_in("li", PASSWORD)
    server.stop()
    try:
        assert await identity.sessions.sign_in("anna", "correct horse battery")
        with pytest.raises(DirectoryUnreachableError, match=r"ldap://127\.0\.0\.1"):
            await identity.sessions.sign_in("li", PASSWORD)
    finally:
        server.start()
    assert await identity.sessions.sign_in("li", PASSWORD)


async def test_encrypted_connections_check_the_certificate(
    database: Database, identity: Identity, place: LdapPlace, server: Slapd
) -> None:
    for changed in (
        replace(place, url=server.tls_url, ca_file=server.ca_file),
        replace(place, start_tls=True, ca_file=server.ca_file),
    ):
        directory = LdapDirectory(changed, _admission(database, identity))
        assert await directory.check("li", PASSWORD) is not None
        directory.close()
    unknown = LdapDirectory(replace(place, url=server.tls_url), _admission(database, identity))
    with pytest.raises(DirectoryUnreachableError, match=r"(?i)certificate"):
        await unknown.check("li", PASSWORD)
    unknown.close()
