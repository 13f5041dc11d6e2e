"""Which tags and assets are of which class of retention, as the database knows them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.historian.retention import RetentionRules, TagClasses
from athanor.kernel.plant.model import Plant
from athanor.kernel.plant.store import retention_classes

_log = structlog.get_logger(__name__)


class Classes:
    """Classes as they were last taken over; before that nothing has any, and nothing goes."""

    def __init__(self, rules: RetentionRules) -> None:
        self._named = frozenset(one.name for one in rules.classes)
        self._said: frozenset[str] = frozenset()
        self.tags = TagClasses({})
        self.assets: Mapping[str, Sequence[str]] = {}  # paths of assets and other nodes, by class

    async def take(self, session: AsyncSession, plant: Plant) -> None:
        """Take over the classes of the plant that runs, and those that former tags had."""
        self.tags = TagClasses(await retention_classes(session))
        assets: dict[str, list[str]] = defaultdict(list)
        for node in plant.nodes.values():
            assets[node.retention].append(node.path)
        self.assets = assets
        unnamed = {*self.tags.names, *assets} - self._named
        if unnamed - self._said:
            _log.warning("retention.classes-not-in-settings", classes=sorted(unnamed), kept="for ever")
        self._said = frozenset(unnamed)
