"""Files of series in the reader's language: how an app that exports begins."""

from athanor.kernel.database.database import Database
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.transfer.exporting import Export, FileFormat, Headings
from athanor.kernel.transfer.series import Series
from athanor.web.language import _, text_of

_PATHS_NOTED = 20  # of an export's tags


def export_for_reader(series: Series, form: FileFormat, plant: RunningPlant) -> Export:
    """An export whose names and headings are in the language that is spoken here, whoever writes it later."""
    return Export(
        series=series,
        form=form,
        timezone=plant.model.timezone,
        names={tag.path: text_of(tag.name) for tag in series.tags},
        states={tag.path: {number: text_of(name) for number, name in tag.states.items()} for tag in series.tags},
        headings=Headings(
            time=_("Time"),
            tag=_("Tag"),
            name=_("Name"),
            value=_("Value"),
            state=_("State"),
            covered=_("Known share"),
            unit=_("Unit"),
            quality=_("Quality"),
        ),
    )


async def note_export(database: Database, viewer: User, export: Export, address: str = "") -> None:
    """Note in the audit trail who takes which series out."""
    series = export.series
    detail = {
        "tags": len(series.tags),
        "first": [tag.path for tag in series.tags[:_PATHS_NOTED]],
        "from": series.span.start.isoformat(),
        "to": series.span.end.isoformat(),
        "step": None if series.step is None else str(series.step),
        "how": series.how if series.has_steps else None,
        "format": export.form,
    }
    async with database.session() as session:
        record(session, viewer.login, "data.exported", series.tags[0].path, address=address, detail=detail)
