"""The port `alarms`: what stands and stood, what people do about it, and the one door by which alarms change."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from athanor.kernel.alarms.finding import Findings
from athanor.kernel.alarms.history import History
from athanor.kernel.alarms.keeping import Keeping
from athanor.kernel.alarms.ledger import Act
from athanor.kernel.alarms.lifecycle import Trigger
from athanor.kernel.alarms.operating import Acted, Operating, plain
from athanor.kernel.alarms.records import Change
from athanor.kernel.alarms.reporting import Kind, Reporting
from athanor.kernel.alarms.rulebook import RuleBook
from athanor.kernel.alarms.standing import Standing
from athanor.kernel.bus.port import Bus
from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant


class Alarms:
    """Alarms of a park. Whoever opened it closes it.

    Every change is one transaction of rows, events and notices; `alarms.changed` is said once it is durable, and
    `standing` has it by then. What people do checks their permission and tenant: another tenant's alarm is one that
    there is not. Each call takes up to `operating.MOST_AT_ONCE` ids and says in `Acted` what became of each: doing a
    thing twice does no harm, and the second hears who was first, and when. Raises NotOperatorError.

    Parameters
    ----------
    plant
        The plant that runs now.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        plant: Callable[[], RunningPlant],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Database and bus are used, and closed by whoever opened them."""
        self._keeping = Keeping(database, bus, plant, now)
        self._operating = Operating(self._keeping)
        self._reporting = Reporting(self._keeping, plant)
        self.rules = RuleBook(database, plant, now)
        self.standing = Standing(database, plant, self._keeping.rules)
        self.history = History(database, plant, self._keeping.rules)
        self._keeping.on_kept = self.standing.refresh

    async def start(self) -> None:
        """Read what stands, and follow it from then on."""
        await self.standing.start()

    async def close(self) -> None:
        """Follow no more."""
        await self.standing.close()

    # ---- for whatever judges

    async def take(self, findings: Findings, *, late_before: datetime) -> tuple[Change, ...]:
        """Keep what was found, all of it or nothing; what changed by it, durable on return.

        The same findings again, from here or from another server, change nothing; nor do findings of alarms that are
        not there or not judged. Of one alarm they come in the order of time. What happened before `late_before` is
        marked as late.
        """
        return await self._keeping.take(findings, late_before=late_before)

    async def tick(self) -> tuple[Change, ...]:
        """End shelvings whose time is over, and announce again what has stood acknowledged for too long.

        For every second or so; by any number of servers.
        """
        return await self._keeping.tick()

    async def retire(self) -> tuple[Change, ...]:
        """End the alarms that are not judged any more, their rule or place being gone. Their record stays."""
        return await self._keeping.retire()

    # ---- for apps

    async def report(
        self,
        key: str,
        path: str,
        *,
        is_active: bool,
        at: datetime,
        kind: Kind,
        value: float | None = None,
        limit: float | None = None,
        detail: str = "",
        tenant: str | None = None,
        is_late: bool = False,
    ) -> tuple[Change, ...]:
        """Raise or clear an alarm that an app finds by itself; the same report again changes nothing.

        Parameters
        ----------
        key
            Of the rule, `<app>.<what>`: made as `kind` says with the first alarm, and then the engineers' to change.
        path
            The tag or node that it is about; something outside the plant too, such as `edge:south`.
        at
            Source time. Reports of one key and path come in the order of time.
        detail
            What an operator reads beside it, in the language of whoever works there.
        tenant
            Whose it is, where `path` is not in the plant; None for the park's.

        Raises
        ------
        NotReportedError
            The key is of a rule that is judged by tags.
        """
        trigger = Trigger.RAISED if is_active else Trigger.CLEARED
        act = Act(trigger, at, reason=plain(detail), value=value, limit=limit, is_late=is_late)
        return await self._reporting.report(key, path, kind, act, tenant)

    # ---- for people

    async def acknowledge(self, viewer: User, alarm_ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """They have seen these alarms. Needs alarms.operate."""
        return await self._operating.acknowledge(viewer, alarm_ids, reason, address)

    async def reset(self, viewer: User, alarm_ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """Release latched alarms that are acknowledged and whose condition is over. Needs alarms.operate."""
        return await self._operating.reset(viewer, alarm_ids, reason, address)

    async def shelve(
        self, viewer: User, alarm_ids: Collection[int], for_: timedelta, reason: str, address: str = ""
    ) -> Acted:
        """Hide alarms for a time. Needs alarms.operate; for safety alarms, and for longer, alarms.maintain.

        `operating.longest_shelving` says how long. Raises ReasonNeededError, BadShelvingError.
        """
        return await self._operating.shelve(viewer, alarm_ids, for_, reason, address)

    async def unshelve(self, viewer: User, alarm_ids: Collection[int], reason: str = "", address: str = "") -> Acted:
        """Let shelved alarms be seen again: an active one is announced anew. Needs alarms.operate."""
        return await self._operating.unshelve(viewer, alarm_ids, reason, address)

    async def remove_from_service(
        self, viewer: User, alarm_ids: Collection[int], reason: str, address: str = ""
    ) -> Acted:
        """Hide alarms until they are returned, as for repairs. Needs alarms.maintain. Raises ReasonNeededError."""
        return await self._operating.remove_from_service(viewer, alarm_ids, reason, address)

    async def return_to_service(
        self, viewer: User, alarm_ids: Collection[int], reason: str = "", address: str = ""
    ) -> Acted:
        """Let alarms out of service be seen again: an active one is announced anew. Needs alarms.maintain."""
        return await self._operating.return_to_service(viewer, alarm_ids, reason, address)

    async def comment(self, viewer: User, occurrence_id: int, text: str, address: str = "") -> int:
        """Write something about an occurrence; the comment's id. Needs alarms.operate.

        Raises ReasonNeededError for an empty or too long one, NotFoundError.
        """
        return await self._operating.comment(viewer, occurrence_id, text, address)
