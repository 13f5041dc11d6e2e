"""REST routes of the trends app, under /api/v1/trends."""

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from athanor.apps.trends.domain.view import view_of
from athanor.kernel.historian.calendar import parse_step
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.exporting import Export, FileFormat, csv_pieces, write_file
from athanor.kernel.transfer.series import How, Series, Shape, tables_of
from athanor.web.exporting import export_for_reader, note_export
from athanor.web.language import language_of, speaking
from athanor.web.routes import DatabasePort, HistorianPort, PlantPort, Viewer

router = APIRouter(tags=["trends"])

_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/export")
async def export(
    request: Request,
    plant: PlantPort,
    historian: HistorianPort,
    db: DatabasePort,
    viewer: Viewer,
    tags: Annotated[str, Query(description="Paths of tags, separated by commas.", max_length=8000)],
    length: Annotated[str, Query(alias="range", description="A length that ends now, such as 8h or 7d.")] = "",
    start: Annotated[str, Query(alias="from", description="Start, ISO 8601.")] = "",
    end: Annotated[str, Query(alias="to", description="End, ISO 8601.")] = "",
    step: Annotated[str, Query(description="Such as 10s or 1h; all samples when left out.")] = "",
    form: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv",
) -> Response:
    """Tags over a range: all samples, one a row; or steps, one column a tag: means, of what holds the last value."""
    chosen = tuple(plant.model.tag(path) for path in dict.fromkeys(tags.split(",")))
    view = view_of(datetime.now(UTC), length, start, end)
    span = Span(view.start, view.end)
    series = Series(chosen, span, parse_step(step), How.USUAL, shape=Shape.WIDE) if step else Series(chosen, span)
    with speaking(language_of(request, viewer.language)):
        wanted = export_for_reader(series, FileFormat(form), plant)
    await note_export(db, viewer, wanted, request.client.host if request.client else "")
    name = f"trends-{view.start.astimezone(ZoneInfo(wanted.timezone)):%Y%m%d-%H%M%S}.{form}"
    if wanted.form is FileFormat.EXCEL:
        return await _excel(wanted, historian, plant, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    pieces = csv_pieces(wanted, tables_of(series, historian, plant))
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


async def _excel(wanted: Export, historian: HistorianPort, plant: RunningPlant, name: str) -> Response:
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="athanor-export-")
    path = Path(folder.name) / name
    try:
        tables = tables_of(wanted.series, historian, plant)
        await write_file(wanted, tables, path, lambda _share, _rows: None)
    except BaseException:
        await asyncio.to_thread(folder.cleanup)
        raise
    return FileResponse(path, media_type=_EXCEL, filename=name, background=BackgroundTask(folder.cleanup))
