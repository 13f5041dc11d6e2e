"""What a person does with documents that takes the plant, too: whose a document is, and which assets it is about."""

from collections.abc import Sequence

from athanor.kernel.documents.records import ASSET, Subject
from athanor.kernel.documents.service import Documents
from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.plant.model import Node
from athanor.kernel.plant.running import RunningPlant

MOST_FOUND = 30


def asset_subject(plant: RunningPlant, path: str) -> Subject:
    """An asset that the viewer sees, with its names. Raises NotFoundError."""
    node = plant.model.node(path)
    return Subject(ASSET, path, "\n".join(node.name.values()))


def owner_of(plant: RunningPlant, viewer: User, tenant: str, path: str) -> str | None:
    """Whose a new document is: the viewer's tenant's; for the park's people a tenant they name, or the asset's.

    None for the park's own. Raises NotFoundError for a tenant that does not exist.
    """
    if viewer.tenant is not None:
        return viewer.tenant
    if tenant:
        if tenant not in plant.model.tenants:
            raise NotFoundError("tenant", tenant)
        return tenant
    return plant.model.node(path).tenant if path else None


async def tie_to_asset(
    documents: Documents, plant: RunningPlant, viewer: User, document_id: int, path: str, *, address: str = ""
) -> None:
    """Say that a document is about an asset. Raises NotFoundError."""
    await documents.tie(viewer, document_id, asset_subject(plant, path), address=address)


def find_assets(plant: RunningPlant, wish: str) -> Sequence[Node]:
    """Nodes of the plant whose path or names hold all the words, at most MOST_FOUND."""
    words = wish.casefold().split()
    found: list[Node] = []
    for node in plant.model.nodes.values():
        text = "\n".join([node.path, *node.name.values()]).casefold()
        if words and all(word in text for word in words):
            found.append(node)
            if len(found) == MOST_FOUND:
                break
    return found
