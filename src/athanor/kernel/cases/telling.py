"""Notices of cases: to whom one was given, and to those further up when it takes too long."""

from collections.abc import Mapping
from datetime import datetime

from athanor.kernel.cases.tables import CaseRow, CaseTaskRow
from athanor.kernel.notify.notice import Notice


def assigned(row: CaseRow, by: str, now: datetime) -> Notice:
    """To its owner."""
    return _notice(
        row, f"assigned:{row.revision}", "cases.assigned", now,
        _titled(row, "Case {} is yours: {}", "处置单 {} 已交给您：{}"),
        {"en": f"Given by {by}.", "zh_CN": f"由 {by} 指派。"},
        logins=(row.owner,) if row.owner else (),
    )  # fmt: skip


def task_given(row: CaseRow, task: CaseTaskRow, by: str, now: datetime) -> Notice:
    """To whom a task was given."""
    return _notice(
        row, f"task:{task.id}:given", "cases.task-given", now,
        {"en": f"Task in case {row.id}: {task.title}", "zh_CN": f"处置单 {row.id} 的任务：{task.title}"},
        {"en": f"{_title(row, 'en')} · given by {by}.", "zh_CN": f"{_title(row, 'zh_CN')} · 由 {by} 指派。"},
        logins=(task.owner,) if task.owner else (), tenant=task.tenant,
    )  # fmt: skip


def overdue(row: CaseRow, now: datetime) -> Notice:
    """To its owner and, by the policies, to those further up."""
    return _notice(
        row, f"overdue:{row.escalated}", "cases.overdue", now,
        _titled(row, "Case {} is overdue: {}", "处置单 {} 已超期：{}"),
        {"en": f"Given further up for the {_ORDINALS[row.escalated]} time.", "zh_CN": f"第 {row.escalated} 次升级。"},
        logins=(row.owner,) if row.owner else (),
    )  # fmt: skip


def task_overdue(row: CaseRow, task: CaseTaskRow, now: datetime) -> Notice:
    """To whom the task was given, and to the case's owner."""
    return _notice(
        row, f"task:{task.id}:overdue:{task.escalated}", "cases.overdue", now,
        {"en": f"Task of case {row.id} overdue: {task.title}", "zh_CN": f"处置单 {row.id} 的任务超期：{task.title}"},
        {"en": _title(row, "en"), "zh_CN": _title(row, "zh_CN")},
        logins=tuple(one for one in (task.owner, row.owner) if one),
    )  # fmt: skip


def over(row: CaseRow, now: datetime) -> Notice:
    """It is closed: nothing of it escalates any more."""
    return _notice(
        row, f"closed:{row.revision}", "cases.closed", now,
        _titled(row, "Case {} is closed: {}", "处置单 {} 已关闭：{}"),
        {}, is_over=True,
    )  # fmt: skip


_ORDINALS = {1: "first", 2: "second", 3: "third"}


def _notice(
    row: CaseRow,
    what: str,
    topic: str,
    now: datetime,
    title: dict[str, str],
    detail: dict[str, str],
    *,
    logins: tuple[str, ...] = (),
    tenant: str | None = None,
    is_over: bool = False,
) -> Notice:
    return Notice(
        key=f"cases.case:{row.id}:{what}",
        topic=topic,
        subject=f"cases.case:{row.id}",
        title=title,
        detail=detail,
        tenant=tenant or row.tenant,
        path=row.path,
        priority=row.priority,
        category=row.category,
        link=f"/incidents/{row.id}",
        logins=logins,
        is_over=is_over,
        at=now,
    )


def _titled(row: CaseRow, english: str, chinese: str) -> dict[str, str]:
    return {"en": english.format(row.id, _title(row, "en")), "zh_CN": chinese.format(row.id, _title(row, "zh_CN"))}


def _title(row: CaseRow, language: str) -> str:
    words: Mapping[str, str] = row.title
    return words.get(language) or words.get("en") or next(iter(words.values()), "")
