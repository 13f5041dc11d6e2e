"""The plant that runs: its model, and the integer ids that the database gave its tags."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.model import Plant, Tag, TagId

UNKNOWN = -1  # what `lookup` gives for a path that no tag has
_FEW = 20_000  # below it, single look-ups beat Arrow, which hashes all known paths (4 ms for 100,000) each time


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
    """

    model: Plant
    version: int
    ids: Mapping[str, TagId]

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

    def visible_to(self, tenants: frozenset[str] | None) -> "RunningPlant":
        """The plant as these tenants see it: nodes of others, and their tags, are not there. None sees all.

        A node of theirs below one of another's stays, under the same path.
        """
        if tenants is None:
            return self
        nodes = {path: node for path, node in self.model.nodes.items() if node.tenant in tenants}
        model = replace(
            self.model,
            tenants={key: tenant for key, tenant in self.model.tenants.items() if key in tenants},
            nodes=nodes,
        )
        return RunningPlant(model, self.version, {path: self.ids[path] for path in model.tags})

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
