"""What apps have in the frame of every page: handed its ports as a page is, and left out where it fails."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from athanor.kernel.apps.app import App, FrameDeclaration
from athanor.kernel.identity.user import User
from athanor.web.injection import Ports

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fixture:
    """One app's piece of the frame."""

    app: App
    declaration: FrameDeclaration
    handed: Sequence[str]
    ports: Ports

    @property
    def permission(self) -> str:
        """Who lacks it does not get it."""
        return self.declaration.permission

    def draw(self, viewer: User) -> None:
        """Draw it here. One that fails is logged: the page that somebody asked for comes without it."""
        try:
            self.declaration.builder(**self.ports.hand_over(list(self.handed), viewer))
        except Exception:  # noqa: BLE001 (whatever one app's piece raises, the page is another's)
            _log.exception("frame.failed", app=self.app.manifest.id)


def fixtures_of(apps: Sequence[App], ports: Ports) -> list[Fixture]:
    """Every app's, in the order of the navigation. Raises PortNotGrantedError."""
    return [
        Fixture(app, declared, ports.names_in(app.manifest, declared.builder), ports)
        for app in sorted(apps, key=lambda app: (app.manifest.order, app.manifest.id))
        for declared in app.frame
    ]
