"""Corrections in the database."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.corrections.actions import Action
from athanor.kernel.corrections.records import Correction, CorrectionState
from athanor.kernel.corrections.tables import CorrectionRow
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.model import TagId

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
_IN_FORCE = [state.value for state in CorrectionState if state.is_in_force]
_UNFINISHED = (CorrectionState.PENDING.value, CorrectionState.UNDOING.value)


async def insert(session: AsyncSession, fresh: Correction, change: bytes) -> Correction:
    """Keep a new correction, whose id is given now."""
    row = CorrectionRow(
        tag=fresh.tag,
        action=ACTION.dump_python(fresh.action, mode="json"),
        start_at=fresh.span.start,
        end_at=fresh.span.end,
        samples=fresh.samples,
        added=fresh.added,
        change=change,
        reason=fresh.reason,
        author=fresh.author,
        made_at=fresh.made_at,
        state=fresh.state.value,
        undo_reason=None,
        undone_by=None,
        undone_at=None,
        restored=None,
    )
    session.add(row)
    await session.flush()
    return _correction(row)


async def find(session: AsyncSession, correction: int) -> Correction | None:
    """A correction, if there is one of this id."""
    row = await session.get(CorrectionRow, correction)
    return None if row is None else _correction(row)


async def find_over(session: AsyncSession, tags: Sequence[TagId], span: Span, most: int) -> list[Correction]:
    """Corrections of these tags that share time with the span, newest first, at most so many."""
    wanted = (
        select(CorrectionRow)
        .where(CorrectionRow.tag.in_(tags), CorrectionRow.start_at < span.end, CorrectionRow.end_at > span.start)
        .order_by(CorrectionRow.id.desc())
        .limit(most)
    )
    return [_correction(row) for row in await session.scalars(wanted)]


async def find_unfinished(session: AsyncSession, tag: TagId | None = None) -> list[Correction]:
    """What is recorded and perhaps not carried out, of one tag or of all, in the order it was made."""
    wanted = select(CorrectionRow).where(CorrectionRow.state.in_(_UNFINISHED)).order_by(CorrectionRow.id)
    if tag is not None:
        wanted = wanted.where(CorrectionRow.tag == tag)
    return [_correction(row) for row in await session.scalars(wanted)]


async def spans_in_force(session: AsyncSession) -> list[tuple[TagId, int, Span]]:
    """Tag, id and span of every correction whose samples count."""
    columns = (CorrectionRow.tag, CorrectionRow.id, CorrectionRow.start_at, CorrectionRow.end_at)
    rows = await session.execute(select(*columns).where(CorrectionRow.state.in_(_IN_FORCE)))
    return [(TagId(tag), correction, Span(start, end)) for tag, correction, start, end in rows]


async def change_body(session: AsyncSession, correction: int) -> bytes:
    """The samples of a correction as `change.encode` wrote them."""
    body = await session.scalar(select(CorrectionRow.change).where(CorrectionRow.id == correction))
    if body is None:
        raise LookupError(f"There is no correction {correction}.")
    return body


async def begin_undoing(session: AsyncSession, correction: int, *, reason: str, author: str, at: datetime) -> None:
    """Note that a correction is to be undone, by whom and why."""
    values = {"undo_reason": reason, "undone_by": author, "undone_at": at, "state": CorrectionState.UNDOING.value}
    await session.execute(update(CorrectionRow).where(CorrectionRow.id == correction).values(values))


async def finish(
    session: AsyncSession, correction: int, state: CorrectionState, restored: int | None = None
) -> Correction:
    """Note that a correction is carried out, or undone; returns it as it is now."""
    row = await session.get_one(CorrectionRow, correction)
    row.state, row.restored = state.value, restored
    return _correction(row)


def _correction(row: CorrectionRow) -> Correction:
    return Correction(
        id=row.id,
        tag=TagId(row.tag),
        action=ACTION.validate_python(row.action),
        span=Span(row.start_at, row.end_at),
        samples=row.samples,
        added=row.added,
        reason=row.reason,
        author=row.author,
        made_at=row.made_at,
        state=CorrectionState(row.state),
        undo_reason=row.undo_reason,
        undone_by=row.undone_by,
        undone_at=row.undone_at,
        restored=row.restored,
    )
