"""Sign-in by an LDAP directory: OpenLDAP, Active Directory and their kin (RFC 4511, 4515)."""

import asyncio
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPInvalidCredentialsResult
from ldap3.utils.conv import escape_filter_chars

from athanor.kernel.identity.directories import Admission, DirectoryUnreachableError, OutsidePerson
from athanor.kernel.identity.tables import UserRow

_AT_ONCE = 4  # people who are being checked; the others wait
_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class LdapPlace:
    """Where a directory is, and how people are found in it."""

    url: str  # ldaps://HOST:PORT or ldap://HOST:PORT
    start_tls: bool
    ca_file: Path | None  # None: the system's authorities
    bind_dn: str  # of the account that looks people up; empty: anonymous
    bind_password: str
    people_base: str
    person_filter: str  # {login} stands for the login
    key_attribute: str
    name_attribute: str
    email_attribute: str
    group_attribute: str  # of a person: the DNs of their groups
    groups_base: str | None  # where groups that list their members lie; None: `group_attribute` tells
    group_filter: str  # {dn} stands for the person's DN


class LdapDirectory:
    """Asks one directory: finds the person as its own account, then binds as them."""

    name = "ldap"

    def __init__(self, place: LdapPlace, admission: Admission) -> None:
        self._place = place
        self._admission = admission
        self._workers = ThreadPoolExecutor(_AT_ONCE, "ldap")

    async def check(self, login: str, password: str) -> OutsidePerson | None:
        """See `PasswordDirectory`."""
        if not login or not password:  # a bind without a password would succeed, as nobody (RFC 4513, 5.1.2)
            return None
        return await asyncio.get_running_loop().run_in_executor(self._workers, self._check, login, password)

    async def admit(self, person: OutsidePerson) -> UserRow:
        """See `Admission.admit`."""
        return await self._admission.admit(person)

    def close(self) -> None:
        """Wait for who is being checked."""
        self._workers.shutdown()

    def _check(self, login: str, password: str) -> OutsidePerson | None:
        try:
            with self._bound(self._place.bind_dn, self._place.bind_password) as connection:
                found = self._find(connection, login)
                if found is None:
                    return None
                dn, person = found
                groups = person.groups
                if self._place.groups_base is not None:
                    groups = self._groups_of(connection, self._place.groups_base, dn)
            try:
                with self._bound(dn, password):
                    return OutsidePerson(person.key, login, person.name, person.email, groups)
            except LDAPInvalidCredentialsResult:
                return None
        except (LDAPException, OSError) as error:
            raise DirectoryUnreachableError(self._place.url, error) from error

    @contextmanager
    def _bound(self, dn: str, password: str) -> Iterator[ldap3.Connection]:
        """A connection as somebody. Raises LDAPException, LDAPInvalidCredentialsResult for a wrong password."""
        place = self._place
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=place.ca_file and str(place.ca_file))
        connection = ldap3.Connection(
            ldap3.Server(place.url, tls=tls, connect_timeout=_TIMEOUT_S, get_info=ldap3.NONE),
            user=dn or None,
            password=password or None,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            receive_timeout=_TIMEOUT_S,
            raise_exceptions=True,
            read_only=True,
        )
        try:
            connection.open()
            if place.start_tls:
                connection.start_tls()
            connection.bind()
            yield connection
        finally:
            if connection.socket is not None:  # ldap3's `unbind` leaves it open
                connection.socket.close()

    def _find(self, connection: ldap3.Connection, login: str) -> tuple[str, OutsidePerson] | None:
        """The one person of this login; None where there is none, or it is not clear who."""
        place = self._place
        names = [place.key_attribute, place.name_attribute, place.email_attribute]
        if not place.groups_base:
            names.append(place.group_attribute)
        wanted = place.person_filter.replace("{login}", escape_filter_chars(login))
        connection.search(place.people_base, wanted, attributes=names, size_limit=2)
        entries = [entry for entry in connection.response or [] if entry["type"] == "searchResEntry"]
        if len(entries) != 1:
            return None
        (entry,) = entries
        attributes = entry["attributes"]
        person = OutsidePerson(
            key=_first(attributes.get(place.key_attribute)) or entry["dn"],
            login=login,
            name=_first(attributes.get(place.name_attribute)),
            email=_first(attributes.get(place.email_attribute)),
            groups=frozenset(_all(attributes.get(place.group_attribute))),
        )
        return entry["dn"], person

    def _groups_of(self, connection: ldap3.Connection, base: str, dn: str) -> frozenset[str]:
        wanted = self._place.group_filter.replace("{dn}", escape_filter_chars(dn))
        connection.search(base, wanted, attributes=ldap3.NO_ATTRIBUTES)
        return frozenset(entry["dn"] for entry in connection.response or [] if entry["type"] == "searchResEntry")


def _all(value: object) -> list[str]:
    """An attribute's values as texts: a directory may give one, many or none, and ids as bytes."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [one.hex() if isinstance(one, bytes) else str(one) for one in values]


def _first(value: object) -> str:
    return next(iter(_all(value)), "")
