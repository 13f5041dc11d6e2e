"""The three tables of data health: sources, quarantine, tags with old or bad values."""

from athanor.web.components import Column, data_table, region
from athanor.web.components.data_table import DataTable, Source
from athanor.web.language import _


def sources(source: Source) -> DataTable:
    """Edges and their sources."""
    columns = [
        Column("source", _("Source"), is_wide=True),
        Column("state", _("State")),
        Column("tags", _("Tags"), is_number=True),
        Column("rate", _("Samples per second"), is_number=True),
        Column("last", _("Newest sample"), is_number=True),
        Column("newest", _("Newest value")),
        Column("troubles", _("Bad · undecodable · gaps · reconnects · clock ahead"), is_number=True, is_sortable=False),
        Column("backlog", _("Waiting at the edge"), is_number=True),
    ]
    with region("ath-card", "section"):
        return data_table(
            source,
            columns,
            caption=_("Sources"),
            nothing=_(
                "No edge has reported yet. Start one with `athanor edge`; the log of the edge says what it does."
            ),
            export_name="sources",
        )


def quarantine(source: Source) -> DataTable:
    """What was refused, and the cure."""
    columns = [
        Column("reason", _("What was refused"), is_wide=True),
        Column("edge", _("Edge")),
        Column("count", _("Samples"), is_number=True),
        Column("last", _("Last time"), is_number=True),
        Column("example", _("Example")),
        Column("cure", _("Cure"), is_sortable=False, is_wide=True),
    ]
    with region("ath-card", "section"):
        return data_table(
            source,
            columns,
            caption=_("Quarantine"),
            nothing=_("Nothing was refused: every sample found its tag."),
            export_name="quarantine",
        )


def troubled(source: Source) -> DataTable:
    """Tags whose values are not to be believed."""
    columns = [
        Column("tag", _("Tag"), is_wide=True),
        Column("path", _("Path")),
        Column("trouble", _("Trouble")),
        Column("age", _("Age"), is_number=True),
        Column("period", _("Due every"), is_number=True),
    ]
    with region("ath-card", "section"):
        return data_table(
            source,
            columns,
            caption=_("Old and bad values"),
            nothing=_("Every value is fresh and good."),
            export_name="old-and-bad-values",
        )
