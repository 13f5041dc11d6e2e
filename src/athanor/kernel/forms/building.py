"""Building forms: drafts, published versions, import and export. What runs keeps the version it began with."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.database.database import Database
from athanor.kernel.errors import NotFoundError
from athanor.kernel.forms.definition import BadDefinitionError, Definition, read_definition
from athanor.kernel.forms.errors import ChangedMeanwhileError, NotYourTurnError
from athanor.kernel.forms.tables import DefinitionRow, VersionRow
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User

BUILD = "forms.administer"
MOST_JSON_BYTES = 500_000

_FORMAT = "athanor-form"
_KEY = re.compile(r"[a-z][a-z0-9-]{1,79}")


@dataclass(frozen=True, slots=True)
class Form:
    """A form and where its building stands."""

    id: int
    tenant: str | None  # None: the park's, for everybody
    key: str
    version: int  # the newest published; 0: none yet
    definition: Definition  # the draft
    revision: int
    changed_at: datetime
    is_retired: bool


class Definitions:
    """Makes, changes, publishes and retires forms. Everybody sees the park's and their tenant's own."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._versions: dict[tuple[int, int], Definition] = {}  # they never change

    async def all(self, viewer: User) -> Sequence[Form]:
        """Those that the viewer sees, by key."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(DefinitionRow).order_by(DefinitionRow.key, DefinitionRow.id))
            return [_form(row) for row in rows if _sees(viewer, row)]

    async def get(self, viewer: User, form_id: int) -> Form:
        """One of them. Raises NotFoundError, also for one of another tenant."""
        async with self._database.reading() as session:
            return _form(await _seen(session, viewer, form_id))

    async def find(self, viewer: User, key: str) -> Form:
        """The published form of this key: the tenant's own before the park's. Raises NotFoundError."""
        found = [one for one in await self.all(viewer) if one.key == key and one.version and not one.is_retired]
        if not found:
            raise NotFoundError("form", key)
        return min(found, key=lambda one: (one.tenant is None, one.id))

    async def make(
        self, viewer: User, key: str, definition: Definition, *, tenant: str | None = None, address: str = ""
    ) -> int:
        """A new form, not yet published: its number.

        `tenant` is heeded for the park's own people only; others build for their own. Raises BadDefinitionError,
        NotYourTurnError.
        """
        _check_builds(viewer)
        if not _KEY.fullmatch(key):
            raise BadDefinitionError("its key is 2 to 80 small letters, digits and hyphens, and begins with a letter.")
        owner = tenant if viewer.tenant is None else viewer.tenant
        now = self._now()
        async with self._database.session() as session:
            taken = select(DefinitionRow.id).where(
                DefinitionRow.key == key, DefinitionRow.tenant.is_not_distinct_from(owner)
            )
            if await session.scalar(taken):
                raise BadDefinitionError(f"the key {key} is taken. Choose another one.")
            row = DefinitionRow(
                tenant=owner, key=key, draft=definition.model_dump(mode="json"), revision=1, version=0,
                made_by=viewer.login, made_at=now, changed_at=now,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            detail = {"key": key, "tenant": owner}
            record(session, viewer.login, "forms.definition-made", str(row.id), address=address, detail=detail)
            return row.id

    async def change(self, viewer: User, form_id: int, definition: Definition, *, revision: int) -> int:
        """Keep a draft; entries do not see it before it is published. The new revision.

        Raises NotFoundError, NotYourTurnError, ChangedMeanwhileError where somebody else changed that revision.
        """
        async with self._database.session() as session:
            row = await _built(session, viewer, form_id)
            if row.revision != revision:
                raise ChangedMeanwhileError
            row.draft, row.changed_at = definition.model_dump(mode="json"), self._now()
            row.revision += 1
            record(session, viewer.login, "forms.definition-changed", str(form_id), detail={"revision": row.revision})
            return row.revision

    async def publish(self, viewer: User, form_id: int, *, address: str = "") -> int:
        """Let new entries be of the draft as it is: its version. Raises NotFoundError, BadDefinitionError."""
        async with self._database.session() as session:
            row = await _built(session, viewer, form_id)
            definition = read_definition(row.draft)
            if not definition.fields:
                raise BadDefinitionError("it has no field. Add one, then publish it.")
            row.version += 1
            row.retired_at = None
            session.add(
                VersionRow(
                    definition_id=row.id, number=row.version, content=row.draft, published_by=viewer.login,
                    published_at=self._now(),
                )
            )  # fmt: skip
            detail = {"key": row.key, "version": row.version}
            record(session, viewer.login, "forms.definition-published", str(form_id), address=address, detail=detail)
            return row.version

    async def retire(self, viewer: User, form_id: int, *, address: str = "") -> None:
        """Let nobody begin new entries; those that run go on. Publishing takes it back. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await _built(session, viewer, form_id)
            row.retired_at = row.retired_at or self._now()
            record(session, viewer.login, "forms.definition-retired", str(form_id), address=address)

    async def version(self, session: AsyncSession, form_id: int, number: int) -> Definition:
        """A published version. Raises NotFoundError."""
        found = self._versions.get((form_id, number))
        if found is None:
            query = select(VersionRow.content).where(VersionRow.definition_id == form_id, VersionRow.number == number)
            content = await session.scalar(query)
            if content is None:
                raise NotFoundError("version of the form", f"{form_id}, {number}")
            found = self._versions[form_id, number] = read_definition(content)
        return found

    async def published(self, viewer: User, form_id: int) -> tuple[Form, Definition]:
        """A form and what new entries of it are. Raises NotFoundError."""
        async with self._database.reading() as session:
            row = await _seen(session, viewer, form_id)
            if not row.version or row.retired_at is not None:
                raise NotFoundError("published form", form_id)
            return _form(row), await self.version(session, row.id, row.version)


def may_build(viewer: User, form: Form) -> bool:
    """Whether they may change this form: their tenant's own, or any for the park's people."""
    return viewer.may(BUILD) and (viewer.tenant is None or viewer.tenant == form.tenant)


def exported(form: Form) -> bytes:
    """A form as a file: JSON that `imported` reads."""
    content = {"format": _FORMAT, "format_version": 1, "key": form.key, "form": form.definition.model_dump(mode="json")}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def imported(content: bytes) -> tuple[str, Definition]:
    """Key and definition of a file that `exported` wrote. Raises BadDefinitionError."""
    if len(content) > MOST_JSON_BYTES:
        raise BadDefinitionError(f"the file is larger than {MOST_JSON_BYTES / 1000:g} kB.")
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadDefinitionError(f"the file is no JSON ({place}: {error.msg}). Export it anew.") from error
    if not isinstance(found, Mapping) or found.get("format") != _FORMAT:
        raise BadDefinitionError('the file is not of a form: it lacks "format": "athanor-form".')
    if found.get("format_version") != 1:
        raise BadDefinitionError(f"its format_version is {found.get('format_version')!r}; 1 is read here.")
    return str(found.get("key", "")), read_definition(found.get("form"))


def _form(row: DefinitionRow) -> Form:
    draft: Any = row.draft
    return Form(
        row.id, row.tenant, row.key, row.version, read_definition(draft), row.revision, row.changed_at,
        row.retired_at is not None,
    )  # fmt: skip


def _sees(viewer: User, row: DefinitionRow) -> bool:
    return viewer.tenant is None or row.tenant is None or row.tenant == viewer.tenant


def _check_builds(viewer: User) -> None:
    if not viewer.may(BUILD):
        raise NotYourTurnError(f"your role ({viewer.role}) does not build forms ({BUILD}).")


async def _seen(session: AsyncSession, viewer: User, form_id: int, *, for_update: bool = False) -> DefinitionRow:
    row = await session.get(DefinitionRow, form_id, with_for_update=for_update or None)
    if row is None or not _sees(viewer, row):
        raise NotFoundError("form", form_id)
    return row


async def _built(session: AsyncSession, viewer: User, form_id: int) -> DefinitionRow:
    """The form's row, to be changed."""
    _check_builds(viewer)
    row = await _seen(session, viewer, form_id, for_update=True)
    if viewer.tenant is not None and row.tenant != viewer.tenant:
        raise NotYourTurnError("this form is the park's. Copy it, and change the copy.")
    return row
