"""Where an alarm is: its tag, its asset, the area, in words. Looked up once for each path of a plant."""

from dataclasses import dataclass

from athanor.kernel.alarms.records import StandingAlarm
from athanor.kernel.plant.finding import way_to
from athanor.kernel.plant.model import Level, Node, Tag
from athanor.kernel.plant.running import RunningPlant


@dataclass(frozen=True, slots=True)
class Place:
    """What a path is in the plant.

    Parameters
    ----------
    tag
        None for a node, and for what is in the plant no more.
    way
        The nodes from the top down to its asset.
    asset, area
        Paths of the node it is on, and of the area or site above it.
    """

    path: str
    tag: Tag | None
    way: tuple[Node, ...]
    asset: str
    area: str


class Places:
    """What a viewer may know of the paths of alarms. It lasts as long as their plant."""

    def __init__(self, plant: RunningPlant) -> None:
        self.plant = plant
        self._places: dict[str, Place] = {}
        self._searched: dict[tuple[int, str], str] = {}

    def of(self, path: str) -> Place:
        """Also for a path that is in the plant no more."""
        place = self._places.get(path)
        if place is None:
            place = self._places[path] = self._look_up(path)
        return place

    def searched(self, alarm: StandingAlarm) -> str:
        """All that an alarm can be found by, in every language, in small letters."""
        key = (alarm.rule, alarm.path)
        text = self._searched.get(key)
        if text is None:
            place = self.of(alarm.path)
            names = [alarm.name, *(node.name for node in place.way), *([place.tag.name] if place.tag else [])]
            text = "\n".join([alarm.path, *(word for name in names for word in name.values())]).casefold()
            self._searched[key] = text
        return text

    def _look_up(self, path: str) -> Place:
        model = self.plant.model
        tag = model.tags.get(path)
        node = tag.node_path if tag else path
        way = tuple(way_to(self.plant, node if node in model.nodes else None))
        asset = way[-1].path if way else node
        above = [one.path for one in way if one.level in (Level.SITE, Level.AREA)]
        return Place(path, tag, way, asset, above[-1] if above else asset)


_MOST = 16
_recent: list[Places] = []  # by the identity of their plant: comparing two by what is in them takes long


def places_of(plant: RunningPlant) -> Places:
    """Those of this plant, shared by all who see the same."""
    found = next((one for one in _recent if one.plant is plant), None)
    if found is None:
        found = Places(plant)
        _recent[:] = [found, *_recent[: _MOST - 1]]
    return found
