"""Whom something would concern: a place of the plant, and what might happen there."""

from athanor.kernel.errors import NotFoundError
from athanor.kernel.identity.user import User
from athanor.kernel.notify.policy import About
from athanor.kernel.plant.running import RunningPlant


def about_place(plant: RunningPlant, viewer: User, topic: str, priority: int, category: str, path: str) -> About:
    """A notice of something at a tag or node that the viewer sees; of their own enterprise where no place is named.

    Raises NotFoundError for a place that they do not see.
    """
    if not path:
        return About(topic, priority, category, "", viewer.tenant)
    tag = plant.model.tags.get(path)
    node = plant.model.nodes.get(path if tag is None else tag.node_path)
    if node is None or node.path in plant.lent:
        raise NotFoundError("place", path)
    return About(topic, priority, category, path, node.tenant)
