"""REST routes of the trends app, under /api/v1/trends."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from athanor.apps.trends import services
from athanor.apps.trends.domain.view import view_of
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.port import Span
from athanor.web.language import language_of, speaking
from athanor.web.routes import HistorianPort, PlantPort, Viewer

router = APIRouter(tags=["trends"])

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/export")
async def export(
    request: Request,
    plant: PlantPort,
    historian: HistorianPort,
    viewer: Viewer,
    tags: Annotated[str, Query(description="Paths of tags, separated by commas.", max_length=8000)],
    length: Annotated[str, Query(alias="range", description="A length that ends now, such as 8h or 7d.")] = "",
    start: Annotated[str, Query(alias="from", description="Start, ISO 8601.")] = "",
    end: Annotated[str, Query(alias="to", description="End, ISO 8601.")] = "",
    step: Annotated[str, Query(description="Such as 10s or 1h; all samples when left out.")] = "",
    form: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv",
) -> Response:
    """Tags over a range: all samples, or time-weighted means over equal steps."""
    chosen = [plant.model.tag(path) for path in dict.fromkeys(tags.split(","))]
    view = view_of(datetime.now(UTC), length, start, end)
    with speaking(language_of(request, viewer.language)):
        wanted = services.export_of(plant, chosen, Span(view.start, view.end), parse_step(step) if step else None)
    name = f"trends-{view.start.astimezone(wanted.zone):%Y%m%d-%H%M%S}.{form}"
    if form == "xlsx":
        return await _excel(wanted, historian, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(services.csv_of(wanted, historian), media_type="text/csv; charset=utf-8", headers=headers)


async def _excel(wanted: services.Export, historian: HistorianPort, name: str) -> Response:
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="athanor-export-")
    path = Path(folder.name) / name
    try:
        await services.excel_of(wanted, historian, path)
    except BaseException:
        await asyncio.to_thread(folder.cleanup)
        raise
    return FileResponse(path, media_type=_EXCEL, filename=name, background=BackgroundTask(folder.cleanup))
