"""What people hear of entries: that a step asks them, that it is overdue, that it asks nobody any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.forms.deciders import People
from athanor.kernel.forms.definition import Definition
from athanor.kernel.forms.tables import EntryRow, WaitingRow
from athanor.kernel.notify import notice
from athanor.kernel.notify.notice import Notice

_HIGH, _LOW = 3, 4  # priorities: nothing burns where a form waits


async def tell_asked(
    session: AsyncSession, row: EntryRow, definition: Definition, steps: Sequence[str], people: People, now: datetime
) -> None:
    """Let those hear whom steps ask; kept with the caller's commit."""
    notices = []
    for step_id in steps:
        step = definition.step(step_id)
        logins = people.deciders(step, row.author, row.tenant)
        words = {
            language: _ASKED[language].format(title=_in(definition.title, language), author=people.name_of(row.author))
            for language in _ASKED
        }
        notices.append(_notice(row, step_id, "asked", words, _step_words(definition, step_id), logins, _LOW, now))
    await notice.put(session, notices, now)


async def tell_no_longer_asked(session: AsyncSession, row: EntryRow, steps: Sequence[str], now: datetime) -> None:
    """Steps were decided, or the entry withdrawn: nobody is told further."""
    notices = [
        Notice(
            key=f"{_subject(row, step_id)}:over:{now.isoformat()}",
            topic="forms.step.over",
            subject=_subject(row, step_id),
            title={"en": "Decided", "zh_CN": "已处理"},
            tenant=row.tenant,
            category="process",
            link=f"/forms/entries/{row.id}",
            is_over=True,
            at=now,
        )
        for step_id in steps
    ]
    await notice.put(session, notices, now)


async def tell_overdue(
    session: AsyncSession, waiting: WaitingRow, row: EntryRow, definition: Definition, people: People, now: datetime
) -> None:
    """A step is overdue: those hear who may decide it now, whoever it escalates to among them."""
    step = definition.step(waiting.step)
    logins = people.deciders(step, row.author, row.tenant, waiting.escalated_to)
    words = {language: _OVERDUE[language].format(title=_in(definition.title, language)) for language in _OVERDUE}
    await notice.put(
        session,
        [_notice(row, waiting.step, "overdue", words, _step_words(definition, waiting.step), logins, _HIGH, now)],
        now,
    )


def _notice(
    row: EntryRow, step_id: str, what: str, title: dict[str, str], detail: dict[str, str], logins: Sequence[str],
    priority: int, now: datetime,
) -> Notice:  # fmt: skip
    return Notice(
        key=f"{_subject(row, step_id)}:{what}:{now.isoformat()}",
        topic=f"forms.step.{what}",
        subject=_subject(row, step_id),
        title=title,
        detail=detail,
        tenant=row.tenant,
        priority=priority,
        category="process",
        link=f"/forms/entries/{row.id}",
        logins=tuple(logins),
        at=now,
    )


def _subject(row: EntryRow, step_id: str) -> str:
    return f"forms.entry:{row.id}:{step_id}"


def _step_words(definition: Definition, step_id: str) -> dict[str, str]:
    title = definition.step(step_id).title
    return {language: _in(title, language) or step_id for language in _ASKED}


def _in(text: dict[str, str], language: str) -> str:
    return text.get(language) or next((words for words in text.values() if words), "")


_ASKED = {"en": "{title} of {author} waits for your decision", "zh_CN": "{author} 提交的“{title}”等待您审批"}
_OVERDUE = {"en": "{title} is overdue for a decision", "zh_CN": "“{title}”审批已逾期"}
