"""Names that other systems give to tags, and the tags that they mean. Pure: the plant in, tags out.

A match is certain where exactly one tag has the path or the name; whatever is only alike is a suggestion, and never
taken without a person's consent.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.units import UnknownUnitError, check_unit

_NOISE = re.compile(r"[\W_]+")
_BRACKETED = re.compile(r"^(.*?)\s*[\[(（【]\s*([^\[\]()（）【】]*)\s*[\])）】]\s*(.*)$")
_UNIT_SPELLINGS = {
    "℃": "degC",
    "℉": "degF",
    "°F": "degF",
    "³": "3",
    "²": "2",
    "／": "/",
    "％": "%",
    "㎥": "m3",
    "㎡": "m2",
    "㎏": "kg",
    "吨": "t",
    "千瓦时": "kWh",
    "千瓦": "kW",
    "度": "kWh",
}
_ALIKE = 0.3  # share of letter groups in common from which a tag is suggested
_GROUP = 3


@dataclass(frozen=True, slots=True)
class NameMatch:
    """What a name means: the tag, if exactly one has this path or name; else those that are alike, best first."""

    path: str | None
    suggestions: tuple[str, ...] = ()


class Matcher:
    """Finds the tags of a plant by what others call them. Built once for each version of the plant."""

    def __init__(self, plant: RunningPlant) -> None:
        self.plant = plant

    def certain(self, name: str) -> str | None:
        """The path of the one tag that this name means; None where none does, or several."""
        text = name.strip()
        if text in self.plant.ids:
            return text
        for candidate in self._spellings(text):
            paths = self._by_name.get(folded(candidate), ())
            if len(paths) == 1:
                return next(iter(paths))
        return None

    def match(self, name: str) -> NameMatch:
        """What a name means, or might."""
        path = self.certain(name)
        if path is not None:
            return NameMatch(path)
        ambiguous = self._by_name.get(folded(self._spellings(name.strip())[-1]), ())
        return NameMatch(None, tuple(sorted(ambiguous)[:5]) or tuple(self.alike(name, 5)))

    def alike(self, name: str, most: int) -> list[str]:
        """Paths of tags whose names or paths share the most groups of letters with this name, best first."""
        wanted = _groups(folded(without_unit(name)[0]))
        counts = Counter[str]()
        for group in wanted:
            counts.update(self._by_group.get(group, ()))
        scored = [
            (2 * shared / (len(wanted) + self._sizes[path]), path)
            for path, shared in counts.most_common(50)
            if 2 * shared / (len(wanted) + self._sizes[path]) >= _ALIKE
        ]
        return [path for _score, path in sorted(scored, key=lambda one: (-one[0], one[1]))[:most]]

    def search(self, words: str, most: int) -> list[str]:
        """Paths of tags in whose path or names all these words occur, by path."""
        wanted = words.casefold().split()
        found = []
        for path in self.plant.sorted_paths:
            if all(word in self._searched[path] for word in wanted):
                found.append(path)
                if len(found) >= most:
                    break
        return found

    def _spellings(self, text: str) -> list[str]:
        """The name as it is, each path within it (`Power [kW] works.power`), and without a unit in brackets."""
        within = [word for word in text.split() if word in self.plant.ids]
        return [*within[:1], text, without_unit(text)[0]]

    @cached_property
    def _by_name(self) -> dict[str, set[str]]:
        """Paths by what a tag is called: path, ends of the path, its name alone and with its asset's, per language."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for path in self.plant.ids:
            for name in self._names(path):
                found[folded(name)].add(path)
        return dict(found)

    def _names(self, path: str) -> Iterable[str]:
        tag = self.plant.model.tags[path]
        asset = self.plant.model.nodes[tag.node_path]
        parts = path.split(".")
        yield from (".".join(parts[start:]) for start in range(len(parts)))
        for language, name in tag.name.items():
            yield name
            if language in asset.name:
                yield f"{asset.name[language]} {name}"
                yield f"{name} {asset.name[language]}"

    @cached_property
    def _by_group(self) -> dict[str, list[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.plant.ids:
            for group in self._groups_of(path):
                found[group].append(path)
        return dict(found)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return {path: len(self._groups_of(path)) for path in self.plant.ids}

    def _groups_of(self, path: str) -> set[str]:
        tag = self.plant.model.tags[path]
        ends = ".".join(path.split(".")[-2:])
        return set().union(*(_groups(folded(name)) for name in (ends, *tag.name.values())))

    @cached_property
    def _searched(self) -> dict[str, str]:
        return {
            path: " ".join((path, *self.plant.model.tags[path].name.values())).casefold() for path in self.plant.ids
        }


def folded(name: str) -> str:
    """A name without case, spaces and signs: `TI-101 Bath_Temp` as `ti101bathtemp`."""
    return _NOISE.sub("", name.casefold())


def without_unit(header: str) -> tuple[str, str | None]:
    """A column's name and the unit in brackets within it: `Power [kW]`, `温度（℃）`. None where there is none known."""
    match = _BRACKETED.match(header)
    if match is None:
        return header.strip(), None
    unit = known_unit(match[2])
    return (header.strip(), None) if unit is None else (f"{match[1]} {match[3]}".strip(), unit)


def known_unit(text: str) -> str | None:
    """The unit that a text writes, as our plants write it; None for what is no unit."""
    spelled = text.strip().strip("[]()（）【】")
    for sign, written in _UNIT_SPELLINGS.items():
        spelled = spelled.replace(sign, written)
    try:
        check_unit(spelled)
    except UnknownUnitError:
        return None
    return spelled


def are_units(cells: Sequence[str]) -> bool:
    """Whether a row of cells is a row of units: of those that say something, at least half."""
    filled = [cell for cell in cells if cell.strip()]
    return bool(filled) and sum(known_unit(cell) is not None for cell in filled) * 2 >= len(filled)


def _groups(text: str) -> set[str]:
    """Groups of three letters; a short name is one group."""
    if len(text) <= _GROUP:
        return {text} if text else set()
    return {text[place : place + _GROUP] for place in range(len(text) - _GROUP + 1)}
