"""Who acts on the account page: checked anew at each act, since a page may stay open after its session has ended."""

from dataclasses import dataclass

from nicegui import ui

from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.sessions import Where
from athanor.kernel.identity.user import User
from athanor.web.account.form import RefusedFormError
from athanor.web.language import _


@dataclass(frozen=True, slots=True)
class Acting:
    """A person's session on the page."""

    identity: Identity
    token: str
    where: Where

    async def person(self) -> User:
        """Who it is now. Raises RefusedFormError, and leads to sign-in, where the session is over."""
        user = await self.identity.sessions.user_of(self.token)
        if user is None:
            ui.navigate.to("/sign-in")
            raise RefusedFormError(_("You are signed out. Sign in again."))
        return user
