"""How documents' types, states and subjects are called."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from athanor.kernel.documents.records import ASSET, Kind
from athanor.kernel.documents.tables import LinkRow, Scan, VersionRow
from athanor.kernel.plant.running import RunningPlant
from athanor.web.components import Status
from athanor.web.language import _, text_of

_OFFICE = "application/vnd.openxmlformats-officedocument"


def kinds() -> Mapping[Kind, str]:
    """The types that one may look for."""
    return {
        Kind.PDF: "PDF",
        Kind.IMAGE: _("Images"),
        Kind.TEXT: _("Texts and tables"),
        Kind.OFFICE: _("Office documents"),
        Kind.OTHER: _("Others"),
    }


def type_text(media_type: str) -> str:
    """A media type in a word or two; one without a word of its own as it is."""
    known = {
        "application/pdf": "PDF",
        "text/plain": _("Text"),
        "text/csv": "CSV",
        "text/html": "HTML",
        "application/xml": "XML",
        "image/svg+xml": "SVG",
        "image/vnd.dwg": "DWG",
        "image/jpeg": "JPEG",
        "application/zip": "ZIP",
        "application/x-ole-storage": _("Office, old form"),
        "application/vnd.apache.parquet": "Parquet",
        "model/step": "STEP",
        "video/mp4": _("Video"),
        f"{_OFFICE}.wordprocessingml.document": "Word",
        f"{_OFFICE}.spreadsheetml.sheet": "Excel",
        f"{_OFFICE}.presentationml.presentation": "PowerPoint",
    }
    if media_type in known:
        return known[media_type]
    group, _slash, rest = media_type.partition("/")
    return rest.upper() if group == "image" else media_type


def scan_text(version: VersionRow) -> tuple[str, Status]:
    """What the search for viruses found, and how bad that is."""
    return {
        Scan.PENDING: (_("In quarantine"), Status.WARN),
        Scan.INFECTED: (_("Infected: {finding}").format(finding=version.finding), Status.URGENT),
        Scan.CLEAN: (_("No virus found"), Status.NORMAL),
        Scan.UNSCANNED: (_("Not scanned"), Status.NORMAL),
    }[Scan(version.scan)]


def subject_text(plant: RunningPlant, link: LinkRow) -> str:
    """What a document is about, by name: an asset as the viewer's plant calls it, else by its path."""
    node = plant.model.nodes.get(link.subject) if link.kind == ASSET else None
    return link.subject if node is None else text_of(node.name)


def about_text(plant: RunningPlant, links: Sequence[LinkRow]) -> str:
    """The first two of what a document is about, and how many more."""
    names = [subject_text(plant, link) for link in links]
    more = len(names) - 2
    shown = ", ".join(names[:2])
    return shown if more <= 0 else _("{names} and {n} more").format(names=shown, n=more)


def owner_text(plant: RunningPlant, tenant: str | None) -> str:
    """Whose it is."""
    if tenant is None:
        return text_of(plant.model.name)
    known = plant.model.tenants.get(tenant)
    return tenant if known is None else text_of(known.name)


def minute(moment: datetime, zone: ZoneInfo) -> str:
    """Date and time of day on the site's clock."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def day(moment: datetime, zone: ZoneInfo) -> str:
    """Date on the site's clock."""
    return moment.astimezone(zone).strftime("%Y-%m-%d")
