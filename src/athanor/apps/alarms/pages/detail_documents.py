"""What helps with an alarm: the documents that its rule names, and those about its asset."""

from athanor.apps.alarms.services.detail import Detail
from athanor.kernel.documents.records import Listed, Wish
from athanor.kernel.documents.service import Documents
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User
from athanor.web.components import Words, link, region
from athanor.web.language import _

_MOST = 8
_VIEW = "documents.view"


async def documents_card(documents: Documents, viewer: User, detail: Detail) -> None:
    """Nothing where there is none, or they may not see documents."""
    found = await _found(documents, viewer, detail) if viewer.may(_VIEW) else {}
    if not found:
        return
    with region("ath-card", "section"):
        with region("ath-card-head"):
            Words(_("Documents"), "h2")
        with region("ath-card-body", "ul"):
            for number, title in found.items():
                with region(tag="li"):
                    link(title, f"/documents/{number}")


async def _found(documents: Documents, viewer: User, detail: Detail) -> dict[int, str]:
    found = {}
    for number in detail.rule.documents:
        try:
            told = await documents.told(viewer, number)
        except NotFoundError:
            continue  # removed since, or not for this viewer: the others still help
        found[told.document.id] = told.document.title
    near, _total = await documents.find(viewer, Wish(asset=_asset(detail), limit=_MOST))
    return found | {one.document.id: _title(one) for one in near}


def _asset(detail: Detail) -> str:
    path = detail.path
    return path.rpartition(".")[0] or path


def _title(one: Listed) -> str:
    return one.document.title
