"""`athanor serve`."""

import structlog

from athanor.kernel.settings import Settings
from athanor.main import address_of, listen
from athanor.main import serve as answer
from athanor.platform import open_platform

_log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Open the platform and answer until told to stop. The first start prints the administrator's password, once."""
    with listen(settings) as listening:
        async with open_platform(settings) as platform:
            password = await platform.identity.accounts.ensure_administrator(must_change=True)
            if password is not None:
                # To the terminal and not to the log: secrets never enter logs.
                # To be changed at once: it stands in the terminal's history.
                print(f"First start. Sign in as admin with the password {password}; choose one of your own there.")  # noqa: T201
            address = address_of(listening, settings)
            await answer(platform, listening, on_ready=lambda: _log.info("server.ready", address=address))
    _log.info("server.stopped")
