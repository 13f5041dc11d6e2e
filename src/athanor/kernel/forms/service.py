"""The port `forms`: definitions, entries and their flow, opened together."""

from collections.abc import Callable
from datetime import UTC, datetime

from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.files.port import Files
from athanor.kernel.forms.building import Definitions
from athanor.kernel.forms.deadlines import tell_overdue
from athanor.kernel.forms.deciders import People, read_people
from athanor.kernel.forms.entries import Entries
from athanor.kernel.forms.seeing import Seeing
from athanor.kernel.plant.running import RunningPlant


class Forms:
    """Forms for every app. Each call names the viewer and is cut to what they may see.

    An app has a form filled in by `definitions.find`, then `entries.start(viewer, form.id, values, subject="app:12")`,
    and hears of its end by the events `forms.entry.approved`, `.rejected` and `.withdrawn`, whose body holds
    `entry_id`, `subject`, `tenant` and `values`.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        files: Files,
        plant: Callable[[], RunningPlant],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._bus = bus
        self._now = now
        self.definitions = Definitions(database, now)
        self.entries = Entries(database, self.definitions, bus, files, plant, now)
        self.seeing = Seeing(database, self.definitions)

    async def people(self) -> People:
        """The accounts, for choosing who decides."""
        async with self._database.reading() as session:
            return await read_people(session)

    async def tell_overdue(self) -> int:
        """See `deadlines.tell_overdue`."""
        return await tell_overdue(self._database, self.definitions, self._bus, self._now())
