"""The plant that runs: its model, and the integer ids that the database gave its tags."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.errors import NotAllowedError, NotFoundError
from athanor.kernel.identity.user import Share
from athanor.kernel.plant.model import Node, Plant, Tag, TagId

UNKNOWN = -1  # what `lookup` gives for a path that no tag has
_FEW = 20_000  # below it, single look-ups beat Arrow, which hashes all known paths (4 ms for 100,000) each time


class LentForReadingError(NotAllowedError):
    """Something would be written to a tag or an asset that another enterprise only lets be read."""

    code = "plant.lent-for-reading"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} belongs to another enterprise, which lets you read it and no more. Ask its people to do this."
        )


@dataclass(frozen=True)
class RunningPlant:
    """A plant with its tags' ids. Never changes; a new version is a new object.

    Parameters
    ----------
    model
        What is there.
    version
        Grows by one with every change of the stored plant.
    ids
        The id of every tag of the model, by path.
    lent
        Paths of the nodes that are another tenant's, which lets them be seen; nothing of theirs is written.
    since
        For some of their tags the moment before which nothing is seen.
    """

    model: Plant
    version: int
    ids: Mapping[str, TagId]
    lent: frozenset[str] = frozenset()
    since: Mapping[TagId, datetime] = field(default_factory=dict)

    def id_of(self, path: str) -> TagId:
        """Raises NotFoundError."""
        try:
            return self.ids[path]
        except KeyError:
            raise NotFoundError("tag", path) from None

    def ids_of(self, paths: Iterable[str]) -> np.ndarray:
        """Ids in the order of `paths`, int32. Raises NotFoundError for the first that no tag has."""
        return np.fromiter((self.id_of(path) for path in paths), np.int32)

    def path_of(self, tag_id: TagId) -> str:
        """Raises NotFoundError."""
        try:
            return self._paths[tag_id]
        except KeyError:
            raise NotFoundError("tag", tag_id) from None

    def tag_of(self, tag_id: TagId) -> Tag:
        """Raises NotFoundError."""
        return self.model.tags[self.path_of(tag_id)]

    def lookup(self, paths: pa.Array) -> np.ndarray:
        """Ids in the order of `paths` (strings), int32; UNKNOWN for a path that no tag has, and for null.

        For whole batches: look up a batch's dictionary, not its rows.
        """
        if len(paths) < _FEW or not self.ids:
            id_of = self.ids.get
            return np.fromiter((id_of(path, UNKNOWN) for path in paths.to_pylist()), np.int32, len(paths))
        known, ids = self._index
        places = pc.index_in(paths, value_set=known, skip_nulls=True)
        found = pc.fill_null(places, UNKNOWN).to_numpy(zero_copy_only=False)
        result: np.ndarray = np.where(found == UNKNOWN, np.int32(UNKNOWN), ids[found])
        return result

    def visible_to(self, tenants: frozenset[str] | None, shares: Sequence[Share] = ()) -> "RunningPlant":
        """The plant as these tenants see it: nodes of others, and their tags, are not there. None sees all.

        A node of theirs below one of another's stays, under the same path. What others share is there too: their nodes
        of the area with their tags of the kinds, and above these, without anything on them, their other nodes, so that
        one finds the way.
        """
        if tenants is None:
            return self
        lent = dict(self._lent(tenants, shares))
        named = {above for path, node in lent.items() for above in _above(path) if self._is_of(above, node.tenant)}
        nodes = {
            path: node if node.tenant in tenants else lent.get(path, _bare(node))
            for path, node in self.model.nodes.items()
            if node.tenant in tenants or path in lent or path in named
        }
        known = {node.tenant for node in nodes.values()} | tenants
        model = replace(
            self.model,
            tenants={key: tenant for key, tenant in self.model.tenants.items() if key in known},
            nodes=nodes,
        )
        return RunningPlant(
            model,
            self.version,
            {path: self.ids[path] for path in model.tags},
            frozenset(path for path, node in nodes.items() if node.tenant not in tenants),
            {self.ids[tag.path]: since for node in lent.values() for tag, since in _limited(node, shares)},
        )

    def owns(self, path: str) -> bool:
        """Whether this tag or node is there and not lent: whoever is handed this plant may write to it."""
        node = self.model.tags[path].node_path if path in self.model.tags else path
        return node in self.model.nodes and node not in self.lent

    def check_owned(self, path: str) -> None:
        """For whatever is about to write to a tag or node. Raises NotFoundError, LentForReadingError."""
        if path not in self.model.tags:
            self.model.node(path)
        if not self.owns(path):
            raise LentForReadingError(path)

    def _lent(self, tenants: frozenset[str], shares: Sequence[Share]) -> Iterator[tuple[str, Node]]:
        """Nodes of others that are within a share, with the tags that are."""
        for path, node in self.model.nodes.items() if shares else ():
            mine = [] if node.tenant in tenants else _over(node, shares)
            if mine:
                yield path, replace(node, tags=tuple(tag for tag in node.tags if _sees(mine, tag)))

    def _is_of(self, path: str, tenant: str) -> bool:
        node = self.model.nodes.get(path)
        return node is not None and node.tenant == tenant

    @cached_property
    def sorted_paths(self) -> list[str]:
        """The paths of all tags, in the order of their letters."""
        return sorted(self.ids)

    @cached_property
    def _paths(self) -> Mapping[TagId, str]:
        return {tag_id: path for path, tag_id in self.ids.items()}

    @cached_property
    def _index(self) -> tuple[pa.Array, np.ndarray]:
        return pa.array(list(self.ids), pa.string()), np.fromiter(self.ids.values(), np.int32, len(self.ids))


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition(".")[0]:
        yield path


def _bare(node: Node) -> Node:
    """Its name, and nothing that is measured or known there."""
    return replace(node, tags=(), type=None, position=None)


def _over(node: Node, shares: Sequence[Share]) -> list[Share]:
    return [
        one
        for one in shares
        if one.tenant == node.tenant and (node.path == one.area or node.path.startswith(f"{one.area}."))
    ]


def _sees(shares: Sequence[Share], tag: Tag) -> list[Share]:
    return [one for one in shares if not one.kinds or tag.kind in one.kinds]


def _limited(node: Node, shares: Sequence[Share]) -> Iterator[tuple[Tag, datetime]]:
    """The tags of which no share lets all be seen, and since when the most generous one does."""
    mine = _over(node, shares)
    for tag in node.tags:
        since = [one.data_from for one in _sees(mine, tag)]
        limits = [moment for moment in since if moment is not None]
        if len(limits) == len(since):
            yield tag, min(limits)
