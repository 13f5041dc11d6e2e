"""The columns of the master alarm database as a sheet: what each is called, and how it is written and read."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from athanor.kernel.alarms.rule import Priority, Rule

Content = dict[str, Any]  # of a rule, as JSON has it, with its key and whether it is enabled

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_YES = frozenset({"yes", "y", "true", "1", "是", "x"})
_NO = frozenset({"no", "n", "false", "0", "否", ""})
_HOURS = re.compile(
    r"(?:(?P<days>[A-Za-z,\s-]+?)\s+)?(?P<h1>\d{1,2}):(?P<m1>\d{2})\s*-\s*(?P<h2>\d{1,2}):(?P<m2>\d{2})"
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class BadCellError(Exception):
    """A cell that cannot be read; says what it should be."""


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column.

    Parameters
    ----------
    place
        Where it stands in a rule's content: `("condition", "at")`.
    read
        Text to JSON. Raises BadCellError.
    write
        JSON to a cell.
    """

    id: str
    english: str
    chinese: str
    place: tuple[str, ...]
    read: Callable[[str], Any]
    write: Callable[[Any], str | float]


def text(cell: str) -> str:
    """As it is; the apostrophe that keeps spreadsheets from running it is none of it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell


def number(cell: str) -> float:
    """A finite number."""
    try:
        found = float(cell)
    except ValueError:
        raise BadCellError(f"{cell[:40]!r} is no number. Write it like 12.5, without its unit.") from None
    if found != found or found in (float("inf"), float("-inf")):  # noqa: PLR0124 NaN
        raise BadCellError(f"{cell[:40]!r} is no number. Write it like 12.5, without its unit.")
    return found


def yes_or_no(cell: str) -> bool:
    """In either language, or as spreadsheets write it."""
    if cell.casefold() in _YES:
        return True
    if cell.casefold() in _NO:
        return False
    raise BadCellError(f"{cell[:40]!r} is neither yes nor no. Write one of them.")


def priority(cell: str) -> int:
    """By number or by name."""
    named = {one.name.casefold(): int(one) for one in Priority} | {str(int(one)): int(one) for one in Priority}
    if cell.casefold() not in named:
        raise BadCellError(f"{cell[:40]!r} is no priority. Write critical, high, medium or low.")
    return named[cell.casefold()]


def states(cell: str) -> list[int | str]:
    """Numbers and texts between semicolons."""
    parts = [part.strip() for part in text(cell).split(";")]
    return [int(part) if re.fullmatch(r"-?\d{1,15}", part) else part for part in parts if part]


def documents(cell: str) -> list[int]:
    """Numbers of documents."""
    parts = [part for part in re.split(r"[;,\s]+", cell) if part]
    if not all(re.fullmatch(r"\d{1,9}", part) for part in parts):
        raise BadCellError(f"{cell[:40]!r} are no numbers of documents. Write them like 12; 15.")
    return [int(part) for part in parts]


def schedule(cell: str) -> list[dict[str, Any]]:
    """`Mon-Fri 06:00-22:00; Sat 06:00-14:00`; without days all of them."""
    return [_hours(part.strip()) for part in cell.split(";") if part.strip()]


def schedule_text(hours: Sequence[Mapping[str, Any]]) -> str:
    """The same the other way."""
    return "; ".join(_hours_text(one) for one in hours)


def _hours(part: str) -> dict[str, Any]:
    found = _HOURS.fullmatch(part)
    if found is None:
        raise BadCellError(f"{part[:40]!r} is no time of the week. Write it like Mon-Fri 06:00-22:00.")
    begin = int(found["h1"]) * 60 + int(found["m1"])
    end = int(found["h2"]) * 60 + int(found["m2"])
    if begin >= 1440 or not 0 < end <= 1440 or int(found["m1"]) > 59 or int(found["m2"]) > 59:
        raise BadCellError(f"{part[:40]!r} has no times of a day. Write them between 00:00 and 24:00.")
    return {"days": _days(found["days"] or "Mon-Sun"), "from_minute": begin, "to_minute": end}


def _days(written: str) -> list[int]:
    known = {day.casefold(): number for number, day in enumerate(DAYS)}
    days: set[int] = set()
    for part in written.split(","):
        ends = [one.strip().casefold()[:3] for one in part.split("-")]
        if len(ends) > 2 or any(one not in known for one in ends):
            raise BadCellError(f"{written[:40]!r} are no days. Write them like Mon-Fri, or Mon, Wed.")
        first, last = known[ends[0]], known[ends[-1]]
        days |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return sorted(days)


def _hours_text(one: Mapping[str, Any]) -> str:
    days = one.get("days", list(range(7)))
    named = "" if len(days) == 7 else ", ".join(DAYS[day] for day in days) + " "
    begin, end = one.get("from_minute", 0), one.get("to_minute", 1440)
    return f"{named}{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"


def _joined(values: Sequence[Any]) -> str:
    return "; ".join(str(one) for one in values)


def _bool_text(value: Any) -> str:
    return "yes" if value else "no"


def _column(id_: str, english: str, chinese: str, *place: str, read: Any = text, write: Any = str) -> SheetColumn:
    return SheetColumn(id_, english, chinese, place or (id_,), read, write)


def _number(id_: str, english: str, chinese: str, *place: str) -> SheetColumn:
    return SheetColumn(id_, english, chinese, place or (id_,), number, float)


def _of_condition(id_: str, english: str, chinese: str) -> SheetColumn:
    return SheetColumn(id_, english, chinese, ("condition", id_), number, float)


COLUMNS: tuple[SheetColumn, ...] = (
    _column("key", "Key", "编号"),
    _column("enabled", "Enabled", "启用", read=yes_or_no, write=_bool_text),
    _column("name_en", "Name (English)", "名称（英文）", "name", "en"),
    _column("name_zh", "Name (Chinese)", "名称（中文）", "name", "zh_CN"),
    _column("tag", "Tag", "测点", "subject", "tag"),
    _column("type", "Equipment type", "设备类型", "subject", "type"),
    _column("plant_limit", "Plant limit", "工厂限值", "subject", "limit"),
    _column("node", "Asset", "设备", "subject", "node"),
    _column("under", "Below", "范围", "subject", "under"),
    _column("kind", "Kind", "条件类型", "condition", "kind"),
    _column("side", "Side", "方向", "condition", "side"),
    _of_condition("at", "Limit", "限值"),
    _of_condition("deadband", "Deadband", "死区"),
    _of_condition("window_s", "Window [s]", "时间窗 [s]"),
    _of_condition("horizon_s", "Horizon [s]", "预测时间 [s]"),
    _column("reference", "Reference", "参照测点", "condition", "reference"),
    _column("states", "States", "状态值", "condition", "states", read=states, write=_joined),
    _column("is_in", "In these states", "处于这些状态", "condition", "is_in", read=yes_or_no, write=_bool_text),
    _of_condition("after_s", "Stale after [s]", "中断时间 [s]"),
    _of_condition("for_s", "Frozen for [s]", "不变时间 [s]"),
    _of_condition("band", "Band", "允许波动"),
    _of_condition("by", "Jump", "跳变量"),
    _of_condition("calm_s", "Calm [s]", "平稳时间 [s]"),
    _of_condition("mean", "Mean", "均值"),
    _of_condition("sigma", "Standard deviation", "标准差"),
    _of_condition("weight", "Weight", "权重"),
    _of_condition("width", "Width", "控制限宽度"),
    _of_condition("slack", "Slack", "松弛量"),
    _of_condition("interval", "Decision interval", "判定区间"),
    _column("formula", "Formula", "公式", "condition", "formula"),
    _number("on_delay_s", "On-delay [s]", "触发延时 [s]"),
    _number("off_delay_s", "Off-delay [s]", "恢复延时 [s]"),
    _column("priority", "Priority", "优先级", read=priority, write=lambda value: Priority(value).name.lower()),
    _column("category", "Category", "类别"),
    _column("consequence_en", "Consequence (English)", "后果（英文）", "consequence", "en"),
    _column("consequence_zh", "Consequence (Chinese)", "后果（中文）", "consequence", "zh_CN"),
    _column("action_en", "Operator action (English)", "操作措施（英文）", "action", "en"),
    _column("action_zh", "Operator action (Chinese)", "操作措施（中文）", "action", "zh_CN"),
    _number("respond_within_s", "Time to respond [s]", "响应时间 [s]"),
    _column("owner", "Owner", "负责人"),
    _column("is_safety", "Safety", "安全相关", read=yes_or_no, write=_bool_text),
    _column("is_latched", "Latched", "锁存", read=yes_or_no, write=_bool_text),
    _column("acknowledges_itself", "Acknowledges itself", "恢复后自动确认", read=yes_or_no, write=_bool_text),
    _number("repeats_after_s", "Repeats after [s]", "重复提醒 [s]"),
    _column("suppressed_while", "Suppressed while", "设计抑制条件"),
    _column("schedule", "Hours", "生效时段", read=schedule, write=schedule_text),
    _column("camera", "Camera", "摄像机"),
    _column("documents", "Documents", "文档", read=documents, write=_joined),
    _column("note", "Note", "备注"),
)


def cell_of(column: SheetColumn, content: Content) -> str | float:
    """A column's cell of a rule's content; empty where the rule says nothing there."""
    value: Any = content
    for step in column.place:
        value = value.get(step) if isinstance(value, Mapping) else None
    return "" if value is None or value in ([], {}) else column.write(value)


def content_of_cells(cells: Iterable[tuple[SheetColumn, str]]) -> tuple[Content, dict[str, str]]:
    """A rule's content as its cells say, an empty one saying nothing; and by column's id what cannot be read."""
    content: Content = {}
    faults: dict[str, str] = {}
    for column, written in cells:
        cell = written.strip()
        if not cell:
            continue
        try:
            value = column.read(cell)
        except BadCellError as error:
            faults[column.id] = str(error)
            continue
        inner = content
        for step in column.place[:-1]:
            inner = inner.setdefault(step, {})
        inner[column.place[-1]] = value
    return content, faults


def cells_of(rule: Rule) -> dict[str, str]:
    """A rule as texts by column's id, without those that are empty."""
    content: Content = rule.model_dump(mode="json", exclude_none=True)
    cells = {column.id: cell_of(column, content) for column in COLUMNS}
    return {name: f"{cell:.12g}" if isinstance(cell, float) else cell for name, cell in cells.items() if cell != ""}


_BY_PLACE = {column.place: column for column in COLUMNS}


def invalid(error: Any) -> tuple[str, str]:
    """The id of the column that one of pydantic's errors is about, and what is wrong, with the cure."""
    place = tuple(str(step) for step in error["loc"])
    if place[:1] == ("condition",) and len(place) > 2:  # ("condition", "limit", "at"): the kind stands between
        place = ("condition", place[2])
    column = next((_BY_PLACE[place[:end]] for end in (2, 1) if place[:end] in _BY_PLACE), None)
    by_part = {"subject": "tag", "condition": "kind", "name": "name_en"}
    name = by_part.get(place[0] if place else "", "key") if column is None else column.id
    if error["type"] in ("missing", "union_tag_not_found"):
        return name, "This must be filled in for a rule of this kind."
    if error["type"] == "extra_forbidden":
        return name, "A rule of this kind has no such value. Empty the cell, or choose another kind."
    if error["type"] == "union_tag_invalid":
        kinds = str(error.get("ctx", {}).get("expected_tags", "")).replace("'", "")
        return name, f"There is no such kind of rule. Write one of {kinds}."
    if error["type"] == "too_short" and place[:1] == ("name",):
        return name, "Write a name."
    given = error.get("input")
    shown = f" (it is {given!r:.40})" if isinstance(given, str | int | float) else ""
    message = str(error["msg"]).removeprefix("Value error, ")
    return name, f"{message[:1].upper()}{message[1:]}{shown}. Correct it."
