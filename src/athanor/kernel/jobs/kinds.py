"""Kinds of jobs that apps declare: what they do, with which arguments, and how often and how long they may try."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from athanor.kernel.errors import AthanorError
from athanor.kernel.jobs.port import JobResult, Progress
from athanor.kernel.spelling import suggestion

FIRST_BACK_OFF_S = 10.0
LONGEST_BACK_OFF_S = 3600.0
MOST_CAUGHT_UP = 24  # runs of one schedule that were missed


class CatchUp(StrEnum):
    """What becomes of runs that were due while no server ran."""

    SKIP = "skip"  # left out
    ONCE = "once"  # one run for all of them, the latest
    ALL = "all"  # each of them, the latest MOST_CAUGHT_UP at most


class UnknownKindError(AthanorError):
    """No app declares jobs of this kind."""

    code = "jobs.unknown-kind"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There are no jobs of kind {name!r}. {suggestion(name, sorted(known))}")


class BadArgumentsError(AthanorError):
    """Arguments that a kind of job does not take."""

    code = "jobs.bad-arguments"

    def __init__(self, kind: str, faults: str) -> None:
        super().__init__(f"These arguments do not fit jobs of kind {kind}: {faults}. Correct them and start it again.")


Call = Callable[[Progress, Mapping[str, Any]], Awaitable[JobResult | None]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job. `call` gets what `arguments` made of those that were given.

    Parameters
    ----------
    name
        `<app>.<verb or noun>`: energy.close-month.
    retries
        How often it is tried again when it fails, takes too long, or its server dies.
    timeout
        The longest that one attempt may take.
    catch_up
        What its schedules do about missed runs where they say nothing else.
    at_once
        How many may run at the same time, on all servers together.
    cron
        When it runs unless an administrator says otherwise; None for a kind that comes without a schedule.
    """

    name: str
    call: Call
    title: Mapping[str, str] = field(default_factory=dict)  # by language
    retries: int = 0
    timeout: timedelta = timedelta(hours=1)
    catch_up: CatchUp = CatchUp.ONCE
    at_once: int = 1
    cron: str | None = None
    arguments: type[BaseModel] | None = None

    def checked(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """These arguments as the kind takes them. Raises BadArgumentsError."""
        model = self.arguments or _NO_ARGUMENTS
        try:
            read = model.model_validate(dict(arguments))
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise BadArgumentsError(self.name, faults) from error
        return {name: getattr(read, name) for name in type(read).model_fields}

    def back_off(self, attempt: int) -> timedelta:
        """How long to wait after an attempt, counted from 1, that failed: twice as long each time."""
        return timedelta(seconds=min(FIRST_BACK_OFF_S * 2.0 ** (attempt - 1), LONGEST_BACK_OFF_S))


def arguments_of(name: str, parameters: Mapping[str, tuple[Any, Any]]) -> type[BaseModel]:
    """A model of a function's arguments: by name, their type and default (`...` for none)."""
    fields: dict[str, Any] = dict(parameters)
    return create_model(name, __config__=_STRICT, **fields)


class JobKinds:
    """All kinds, by name."""

    def __init__(self, kinds: Iterable[JobKind] = ()) -> None:
        self._kinds = {kind.name: kind for kind in kinds}

    def add(self, kind: JobKind) -> None:
        """Let there be jobs of this kind."""
        self._kinds[kind.name] = kind

    def get(self, name: str) -> JobKind:
        """Raises UnknownKindError."""
        if name not in self._kinds:
            raise UnknownKindError(name, self._kinds)
        return self._kinds[name]

    def __iter__(self) -> Iterator[JobKind]:
        return iter(self._kinds.values())

    def __contains__(self, name: str) -> bool:
        return name in self._kinds


_STRICT = ConfigDict(extra="forbid", frozen=True)
_NO_ARGUMENTS = create_model("NoArguments", __config__=_STRICT)
