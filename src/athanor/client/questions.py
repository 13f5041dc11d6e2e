"""Questions to a server, and how their answers are understood; who sends them is another matter."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import httpx
import pyarrow as pa
import pyarrow.compute as pc

from athanor.client.answer import Answer
from athanor.client.errors import ApiError
from athanor.client.values import SAMPLES, CurrentValue, Receipt, Tag

ARROW = "application/vnd.apache.arrow.stream"
COOKIE = "athanor_session"
NOT_NOW = frozenset({429, 502, 503, 504})  # statuses after which the same question may be answered later
PAUSES_S = (0.5, 1.0, 2.0, 4.0)  # before each further attempt; the last goes for all that follow

_LONGEST_QUERY = 50_000  # characters, of the tags in one address
_PAGE = _MOST_TAGS = 1000  # of one question

T = TypeVar("T")
Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One request and what its answer means."""

    method: str
    address: str
    understood: Callable[[httpx.Response], T]
    parameters: Parameters = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def tags_page(search: str, after: str) -> Question[tuple[list[Tag], str | None]]:
    """A page of tags, and what the next one comes after."""

    def understood(answer: httpx.Response) -> tuple[list[Tag], str | None]:
        page = answer.json()
        return [_tag(one) for one in page["tags"]], page["next"]

    asked = [("search", search), ("after", after), ("limit", str(_PAGE))]
    return Question("GET", "/api/v1/tags", understood, asked)


def current(tags: Sequence[str]) -> Question[list[CurrentValue]]:
    """The newest sample of each tag."""

    def understood(answer: httpx.Response) -> list[CurrentValue]:
        rows = answer.json()
        return [CurrentValue(**row | {"time": _moment_or_none(row["time"])}) for row in rows]

    return Question("GET", "/api/v1/current", understood, [("tag", tag) for tag in tags])


def series(
    tags: Sequence[str], start: datetime | str, end: datetime | str | None, options: Mapping[str, Any]
) -> Question[pa.Table]:
    """Samples or steps; `options` are those of the API, None for what is left out."""
    asked = [("tag", tag) for tag in tags]
    asked += [("from", moment_text(start))] if end is None else [("from", moment_text(start)), ("to", moment_text(end))]
    asked += [(name, str(value)) for name, value in options.items() if value is not None]
    return Question("GET", "/api/v1/series", _table, asked, {"Accept": ARROW})


def at(tags: Sequence[str], time: datetime | str, gaps: str | None) -> Question[pa.Table]:
    """What tags were at a past moment."""
    asked = [("tag", tag) for tag in tags] + [("time", moment_text(time))]
    asked += [] if gaps is None else [("gaps", gaps)]
    return Question("GET", "/api/v1/at", _table, asked, {"Accept": ARROW})


def write(table: pa.Table, token: str, edge: str) -> Question[Receipt]:
    """Samples to be stored."""
    body = io.BytesIO()
    with pa.ipc.new_stream(body, SAMPLES, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        stream.write_table(table)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ARROW, "X-Athanor-Edge": edge}
    return Question(
        "POST",
        "/api/v1/ingest/samples",
        lambda answer: Receipt(**answer.json()),
        headers=headers,
        body=body.getvalue(),
    )


def sign_in(login: str, password: str) -> dict[str, str]:
    """What the form on the sign-in page sends."""
    return {"login": login, "password": password, "next": "/"}


def in_parts(tags: Sequence[str]) -> list[list[str]]:
    """The tags in parts whose names fit into one address; one empty part for none."""
    parts: list[list[str]] = [[]]
    length = 0
    for tag in tags:
        more = len(str(httpx.QueryParams({"tag": tag}))) + 1
        if parts[-1] and (length + more > _LONGEST_QUERY or len(parts[-1]) == _MOST_TAGS):
            parts.append([])
            length = 0
        parts[-1].append(tag)
        length += more
    return parts


def joined(tables: Sequence[pa.Table], *, is_wide: bool) -> Answer:
    """The answers to all parts as one: long ones by tag, then time, wide ones side by side."""
    metadata = _joined_metadata(tables)
    whole = tables[0]
    if is_wide:
        for table in tables[1:]:
            whole = whole.join(table, "time", join_type="full outer")
        return Answer(whole.sort_by("time").replace_schema_metadata(metadata))
    whole = pa.concat_tables([table.replace_schema_metadata() for table in tables]).unify_dictionaries()
    if "time" in whole.column_names:
        whole = _by_tag_and_time(whole)
    return Answer(whole.replace_schema_metadata(metadata))


def _by_tag_and_time(table: pa.Table) -> pa.Table:
    """Arrow sorts no dictionaries, so each path's place among the sorted paths stands for it."""
    tag = table["tag"].combine_chunks()
    tag = tag.chunk(0) if isinstance(tag, pa.ChunkedArray) and tag.num_chunks else tag
    if len(table) == 0:
        return table
    place = pc.rank(tag.dictionary).cast(pa.int32()).take(tag.indices)
    keys = pa.table({"place": place, "time": table["time"]})
    return table.take(pc.sort_indices(keys, [("place", "ascending"), ("time", "ascending")]))


def _joined_metadata(tables: Sequence[pa.Table]) -> dict[bytes, bytes]:
    abouts = [json.loads((table.schema.metadata or {}).get(b"athanor", b"{}")) for table in tables]
    tags = {path: tag for about in abouts for path, tag in about.get("tags", {}).items()}
    return {b"athanor": json.dumps(abouts[0] | {"tags": tags}).encode()} if tags else {}


def refusal(answer: httpx.Response) -> ApiError:
    """The error that an answer tells of."""
    try:
        detail = answer.json()["detail"]
        if isinstance(detail, list):  # FastAPI's own, of parameters that cannot be read
            reasons = "; ".join(f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in detail)
            return ApiError(answer.status_code, "api.bad-parameters", reasons)
        return ApiError(answer.status_code, detail["code"], detail["message"])
    except (ValueError, KeyError, TypeError):
        return ApiError(answer.status_code, "api.unexpected", f"{answer.reason_phrase}: {answer.text[:300]}")


def moment_text(moment: datetime | str) -> str:
    """A time as the API reads it. Raises ValueError for one without a zone."""
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone. Give an aware datetime, such as datetime.now(UTC).")
    return moment.isoformat()


def _table(answer: httpx.Response) -> pa.Table:
    with pa.ipc.open_stream(answer.content) as reader:
        return reader.read_all()


def _tag(one: dict[str, Any]) -> Tag:
    return Tag(**one | {"states": {int(number): name for number, name in one["states"].items()}})


def _moment_or_none(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
