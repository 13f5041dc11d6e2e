"""Who asks, and from where: found anew for each thing that a page does, since a page stays open longer than rights."""

from fastapi import Request
from nicegui import ui

from athanor.apps.people.services.acting import Acting
from athanor.apps.people.services.errors import NotYoursError
from athanor.kernel.identity.service import Identity
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.web.sessions import address_of, user_of


class Asked:
    """A page of somebody's.

    Parameters
    ----------
    viewer
        Who they were when the page was opened.
    plant
        The plant as they saw it then.
    """

    def __init__(self, identity: Identity, viewer: User, plant: RunningPlant, request: Request) -> None:
        self.viewer = viewer
        self.plant = plant
        self.server = str(request.base_url)
        self._identity = identity
        self._request = request

    @property
    def first(self) -> Acting:
        """As whom the page is built."""
        return self._as(self.viewer)

    async def acting(self) -> Acting:
        """As whom something is done now. Raises NotYoursError where the session is over."""
        user = await user_of(self._request, self._identity)
        if user is None or user.login != self.viewer.login:
            ui.navigate.to("/sign-in")
            raise NotYoursError("Your session is over.")
        return self._as(user)

    def _as(self, user: User) -> Acting:
        return Acting(self._identity, user, self.plant, address_of(self._request))
