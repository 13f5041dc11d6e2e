"""Identity: everything that knows who is who, opened together. Every change of it is in the audit trail."""

from collections.abc import Callable
from datetime import UTC, datetime

from athanor.kernel.database.database import Database
from athanor.kernel.identity.accounts import Accounts
from athanor.kernel.identity.departments import Departments
from athanor.kernel.identity.edges import EdgeTokens
from athanor.kernel.identity.grants import Grants
from athanor.kernel.identity.invitations import Invitations
from athanor.kernel.identity.locks import Locks
from athanor.kernel.identity.passwords import Passwords
from athanor.kernel.identity.refusals import Refusals
from athanor.kernel.identity.roles import Roles
from athanor.kernel.identity.second_factor import SecondFactors
from athanor.kernel.identity.sessions import Rules, Sessions
from athanor.kernel.identity.tokens import ApiTokens
from athanor.kernel.vault import Vault


class Identity:
    """Who is who.

    Parameters
    ----------
    database
        Where all of it is kept; the caller closes it.
    vault
        What encrypts the secrets of second factors.
    passwords
        How passwords are judged and hashed.
    rules
        How long sessions last, and who needs a second factor.
    now
        The clock, aware.
    """

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        passwords: Passwords | None = None,
        rules: Rules | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        passwords = passwords or Passwords()
        self.roles = Roles(database, now)
        self.grants = Grants(database, now)
        self.departments = Departments(database)
        self.accounts = Accounts(database, passwords, self.roles, now)
        self.sessions = Sessions(database, passwords, self.roles, self.grants, now, rules or Rules())
        self.locks = Locks(database, now)
        self.second_factors = SecondFactors(database, vault, now)
        self.invitations = Invitations(database, self.accounts, self.roles, now)
        self.tokens = ApiTokens(database, self.sessions, now)
        self.edges = EdgeTokens(database, now)
        self.refusals = Refusals(database, now)
