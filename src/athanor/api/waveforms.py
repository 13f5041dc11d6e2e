"""Where waveforms are delivered and read: by edges with their token, by people and programs with a session."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel

from athanor.api.series import Moment
from athanor.kernel.errors import NotFoundError
from athanor.kernel.files.port import FilesFullError, FilesUnreachableError
from athanor.kernel.historian.port import Span, microseconds, moment
from athanor.kernel.identity.service import Identity
from athanor.kernel.metrics import WAVEFORM_BYTES, WAVEFORMS_STORED
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.telemetry import Quality
from athanor.kernel.waveforms import formats
from athanor.kernel.waveforms.formats import CSV, JSON, NPY, WAV
from athanor.kernel.waveforms.port import (
    BadWaveformError,
    Entry,
    Head,
    Trigger,
    Waveform,
    WaveformIndexError,
    Waveforms,
)
from athanor.web.bodies import bounded_body
from athanor.web.injection import Ports
from athanor.web.routes import PlantPort, WaveformsPort, permits, viewer_of

MOST_BYTES = 64 * 1024 * 1024  # of one request
_RETRY_AFTER_S = "5"
_PAGE, _LONGEST_PAGE = 200, 1000
_IMPORT = "data.import"
_REFUSED_FOR_NOW = (FilesFullError, FilesUnreachableError, WaveformIndexError)
_ABOUT = "Athanor-Waveform"  # header of answers that cannot say themselves what they are

router = APIRouter(prefix="/api/v1/waveforms", tags=["waveforms"])
_viewing = [Depends(permits("data.view"))]


class WaveformAnswer(BaseModel):
    """What a waveform is of, and how long. A point is its number × scale + offset, in the unit."""

    id: int
    asset: str
    channel: str
    start: datetime
    rate_hz: float
    points: int
    duration_s: float
    quantity: str
    unit: str
    scale: float
    offset: float
    dtype: str
    quality: str
    trigger: Trigger
    stored_bytes: int


class WaveformsAnswer(BaseModel):
    """A page of waveforms, by start, then channel; ask for the next with `after` set to `next`."""

    waveforms: list[WaveformAnswer]
    next: str | None


class ChannelAnswer(BaseModel):
    """A channel of an asset that has, or had, waveforms."""

    asset: str
    channel: str


class StoredAnswer(BaseModel):
    """Ids in the order of the channels. The answer means: durable."""

    ids: list[int]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who delivers, and the part of the plant that they may deliver for."""

    name: str
    plant: RunningPlant


@dataclass(frozen=True, slots=True)
class TimesAllowed:
    """Which starts are possible: from `oldest` on, and at most `max_ahead` in the future."""

    oldest: datetime
    max_ahead: timedelta

    def check(self, start: datetime) -> None:
        """Raises BadWaveformError."""
        if start < self.oldest:
            raise BadWaveformError(f"its start {start.isoformat()} is before {self.oldest.date()}")
        if start > datetime.now(UTC) + self.max_ahead:
            raise BadWaveformError(f"its start {start.isoformat()} lies in the future; check the sender's clock")


async def sender_of(request: Request, authorization: Annotated[str, Header()] = "") -> Sender:
    """An edge by its token, for the whole plant, or a person by their session, for what they see.

    Answers 401 to a stranger, and 403 to who may not import.
    """
    ports: Ports = request.app.state.ports
    if not authorization:
        await permits(_IMPORT)(request)
        viewer = await viewer_of(request)
        plant = ports.hand_over(["plant"], viewer)["plant"]
        return Sender(viewer.login, plant)  # type: ignore[arg-type]
    identity: Identity = request.app.state.identity
    scheme, _, token = authorization.partition(" ")
    edge = await identity.edges.edge_of(token) if scheme.lower() == "bearer" else None
    if edge is None:
        raise _refusal(
            HTTPStatus.UNAUTHORIZED,
            "ingest.unknown-edge",
            "This edge's token is not known here. Make one with `athanor edge-token NAME` and give it to the edge.",
        )
    return Sender(edge, ports.plant)


def delivery_router(allowed: TimesAllowed) -> APIRouter:
    """`POST /api/v1/waveforms`."""
    delivery = APIRouter(prefix="/api/v1/waveforms", tags=["waveforms"])

    @delivery.post("", status_code=HTTPStatus.CREATED)
    async def deliver(
        request: Request,
        sender: Annotated[Sender, Depends(sender_of)],
        asset: Annotated[str, Query(max_length=500, description="Path of the asset.")],
        channels: Annotated[
            list[str], Query(alias="channel", min_length=1, max_length=64, description="One for each row of points.")
        ],
        start: Annotated[Moment, Query(description="Of the first point, ISO 8601 with zone.")],
        quantity: Annotated[str, Query(max_length=40, description="acceleration, velocity, sound_pressure, current …")],
        unit: Annotated[str, Query(max_length=60, description="Of the points, scaled.")],
        rate_hz: Annotated[float | None, Query(gt=0, description="Points a second; a WAV file says it itself.")] = None,
        scale: Annotated[float, Query(description="A point is its number × scale + offset.")] = 1.0,
        offset: float = 0.0,
        dtype: Annotated[str | None, Query(max_length=10, description="Of plain numbers: int16 or float32.")] = None,
        quality: str = Quality.GOOD.name.lower(),
        trigger: Trigger = Trigger.SCHEDULED,
        content_type: Annotated[str, Header(max_length=200)] = formats.RAW,
    ) -> StoredAnswer:
        """Store what some channels of an asset measured together: npy, WAV, or plain little-endian numbers."""
        sender.plant.check_owned(asset)
        allowed.check(start)
        body = await _body_of(request)
        rows, said_hz = await asyncio.to_thread(formats.rows_of, body, content_type, dtype, len(channels))
        head = Head(
            asset=asset,
            channel="",
            start=start,
            rate_hz=_agreed(rate_hz, said_hz),
            quantity=quantity,
            unit=unit,
            scale=scale,
            offset=offset,
            quality=_quality(quality),
            trigger=trigger,
        )
        given = [Waveform(replace(head, channel=channel), row) for channel, row in zip(channels, rows, strict=True)]
        ports: Ports = request.app.state.ports
        store: Waveforms = ports.whole(["waveforms"])["waveforms"]  # type: ignore[assignment]
        try:
            ids = await store.write(given)
        except _REFUSED_FOR_NOW as error:
            raise _refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, error.code, str(error), headers={"Retry-After": _RETRY_AFTER_S}
            ) from error
        WAVEFORMS_STORED.labels(sender.name).inc(len(ids))
        WAVEFORM_BYTES.labels(sender.name).inc(rows.nbytes)
        return StoredAnswer(ids=ids)

    return delivery


@router.get("", dependencies=_viewing)
async def listed(
    plant: PlantPort,
    waveforms: WaveformsPort,
    asset: Annotated[str, Query(max_length=500, description="Path of the asset.")],
    channel: Annotated[str | None, Query(max_length=64)] = None,
    start: Annotated[Moment | None, Query(alias="from", description="Earliest start, ISO 8601; included.")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="Latest start; excluded.")] = None,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = _PAGE,
) -> WaveformsAnswer:
    """Waveforms of an asset that start within a range, a page at a time."""
    _check_seen(plant, asset)
    span = None
    if start is not None or end is not None:
        first, last = start or datetime.fromtimestamp(0, UTC), end or datetime.max.replace(tzinfo=UTC)
        if last < first:
            raise _refusal(
                HTTPStatus.UNPROCESSABLE_ENTITY, "data.bad-range", f"`to` ({last}) lies before `from` ({first})."
            )
        span = Span(first, last)
    found = await waveforms.find(asset, channel, span, after=_place_of(after), limit=limit + 1)
    page = found[:limit]
    return WaveformsAnswer(
        waveforms=[_described(entry) for entry in page], next=_mark_of(page[-1]) if len(found) > limit else None
    )


@router.get("/latest", dependencies=_viewing)
async def latest(
    plant: PlantPort,
    waveforms: WaveformsPort,
    asset: Annotated[str, Query(max_length=500, description="Path of the asset.")],
    channel: Annotated[str | None, Query(max_length=64)] = None,
) -> list[WaveformAnswer]:
    """The newest waveform of each channel of an asset, or of one channel."""
    _check_seen(plant, asset)
    return [_described(entry) for entry in await waveforms.latest(asset, channel)]


@router.get("/channels", dependencies=_viewing)
async def channels(plant: PlantPort, waveforms: WaveformsPort) -> list[ChannelAnswer]:
    """Every channel of the caller's assets that has, or had, waveforms."""
    return [
        ChannelAnswer(asset=one.asset, channel=one.name) for one in await waveforms.channels() if plant.owns(one.asset)
    ]


_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": f"By `Accept`: JSON, NPY, WAV or CSV. The header `{_ABOUT}` says, as JSON, what it is of.",
        "content": {JSON: {}, NPY: {}, WAV: {}, CSV: {}},
    },
    404: {"description": "A waveform is not there, or not the caller's."},
}


@router.get("/{waveform_id}", dependencies=_viewing, response_class=Response, responses=_FORMS)
async def read(
    request: Request,
    plant: PlantPort,
    waveforms: WaveformsPort,
    waveform_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
    *,
    raw: Annotated[bool, Query(description="NPY only: the numbers as they were sent, unscaled.")] = False,
) -> Response:
    """One waveform: values in its unit."""
    entry = await waveforms.entry(waveform_id)
    if not plant.owns(entry.head.asset):
        raise NotFoundError("waveform", waveform_id)
    one = await waveforms.read(waveform_id)
    about = _described(entry).model_dump(mode="json")
    form, write = _form_of(request.headers.get("accept", ""), about, raw=raw)
    content = await asyncio.to_thread(write, one)  # a million points take a while
    return Response(content, media_type=form, headers={"Vary": "Accept", _ABOUT: json.dumps(about)})


def _check_seen(plant: RunningPlant, asset: str) -> None:
    """What enterprises lend each other is tags; waveforms of their assets are not there. Raises NotFoundError."""
    if not plant.owns(asset):
        raise NotFoundError("asset", asset)


def _form_of(accept: str, about: dict[str, Any], *, raw: bool) -> tuple[str, Callable[[Waveform], bytes]]:
    if NPY in accept:
        return NPY, lambda one: formats.to_npy(one, raw=raw)
    if WAV in accept:
        return WAV, formats.to_wav
    if CSV in accept:
        return f"{CSV}; charset=utf-8", formats.to_csv
    return JSON, lambda one: formats.to_json(one, about)


async def _body_of(request: Request) -> bytes:
    return await bounded_body(
        request, MOST_BYTES, code="waveforms.too-large", advice="Send fewer channels, or shorter waveforms."
    )


def _agreed(given_hz: float | None, said_hz: float | None) -> float:
    """The sampling rate that request and body agree on. Raises BadWaveformError."""
    if said_hz is None:
        if given_hz is None:
            raise BadWaveformError("its sampling rate is not given; add rate_hz")
        return given_hz
    if given_hz is not None and round(given_hz) != said_hz:
        raise BadWaveformError(f"rate_hz is {given_hz:g}, and the WAV file says {said_hz:g}")
    return said_hz if given_hz is None else given_hz  # WAV knows whole ones only


def _quality(name: str) -> Quality:
    try:
        return Quality[name.upper()]
    except KeyError:
        raise BadWaveformError(f"the quality {name[:20]!r} is none of good, uncertain, bad") from None


def _described(entry: Entry) -> WaveformAnswer:
    head = entry.head
    return WaveformAnswer(
        id=entry.id,
        asset=head.asset,
        channel=head.channel,
        start=head.start,
        rate_hz=head.rate_hz,
        points=entry.points,
        duration_s=entry.points / head.rate_hz,
        quantity=head.quantity,
        unit=head.unit,
        scale=head.scale,
        offset=head.offset,
        dtype=entry.dtype,
        quality=head.quality.name.lower(),
        trigger=head.trigger,
        stored_bytes=entry.size,
    )


def _mark_of(entry: Entry) -> str:
    return f"{microseconds(entry.head.start)}.{entry.head.channel}"


def _place_of(mark: str | None) -> tuple[datetime, str] | None:
    """What `_mark_of` made of a start and a channel."""
    if mark is None:
        return None
    start_us, _, channel = mark.partition(".")
    try:
        return moment(int(start_us)), channel
    except (ValueError, OverflowError):
        raise _refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, "data.bad-mark", "`after` is not the `next` of a page before."
        ) from None


def _refusal(status: HTTPStatus, code: str, message: str, headers: dict[str, str] | None = None) -> HTTPException:
    return HTTPException(status, {"code": code, "message": message}, headers)
