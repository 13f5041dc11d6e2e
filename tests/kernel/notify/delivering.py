"""What a process does until it is killed: bring messages out of a database."""

import asyncio
from multiprocessing.connection import Connection

from athanor.kernel.database.database import Database
from athanor.kernel.notify.circuit import Pace
from athanor.kernel.notify.service import Notify
from athanor.kernel.plant.model import Plant
from athanor.kernel.vault import Vault


def deliver(url: str, key: str, say: Connection) -> None:
    """Deliver as a server does; says once that it does."""
    asyncio.run(_deliver(url, key, say))


async def _deliver(url: str, key: str, say: Connection) -> None:
    plant = Plant(id="park", name={"en": "Park"}, timezone="Asia/Shanghai", tenants={}, nodes={})
    pace = Pace(poll_s=0.02)
    notify = Notify(Database(url), Vault(key.encode()), plant=lambda: plant, pace=pace)
    await notify.start()
    say.send(1)
    await asyncio.Event().wait()
