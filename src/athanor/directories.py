"""The directories beside our own that the settings name: who else says who people are."""

from datetime import UTC, datetime

from athanor.kernel.database.database import Database
from athanor.kernel.identity.directories import Admission, rules_of
from athanor.kernel.identity.ldap import LdapDirectory, LdapPlace
from athanor.kernel.identity.oidc import OidcPlace, OidcProvider
from athanor.kernel.identity.service import Identity
from athanor.kernel.sections import LdapSettings, OidcSettings


def ldap_directory(settings: LdapSettings, database: Database, identity: Identity) -> LdapDirectory | None:
    """The LDAP directory; None where none is named."""
    if settings.url is None:
        return None
    place = LdapPlace(
        url=settings.url,
        start_tls=settings.start_tls,
        ca_file=settings.ca_file,
        bind_dn=settings.bind_dn,
        bind_password=settings.bind_password.get_secret_value(),
        people_base=settings.people_base,
        person_filter=settings.person_filter,
        key_attribute=settings.key_attribute,
        name_attribute=settings.name_attribute,
        email_attribute=settings.email_attribute,
        group_attribute=settings.group_attribute,
        groups_base=settings.groups_base,
        group_filter=settings.group_filter,
    )
    return LdapDirectory(place, Admission("ldap", database, identity.roles, rules_of(settings.groups), _now))


def openid_provider(settings: OidcSettings, database: Database, identity: Identity) -> OidcProvider | None:
    """The OpenID provider; None where none is named."""
    if settings.issuer is None:
        return None
    place = OidcPlace(
        issuer=settings.issuer,
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
        scopes=settings.scopes,
        login_claim=settings.login_claim,
        groups_claim=settings.groups_claim,
    )
    return OidcProvider(place, Admission("oidc", database, identity.roles, rules_of(settings.groups), _now))


def _now() -> datetime:
    return datetime.now(UTC)
