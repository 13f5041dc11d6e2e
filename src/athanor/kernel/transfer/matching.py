"""Names that other systems give to tags, and the tags that they mean. Pure: the plant in, tags out.

A match is certain where exactly one tag has the path or the name; whatever is only alike is a suggestion, and never
taken without a person's consent.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
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
_ALIKE = 0.4  # share of letter groups in common from which a tag is suggested
_GROUP = 3
_MOST_COMPARED = 20_000  # names that share a group, looked at for one suggestion
_MOST_REMEMBERED = 20_000
_CANDIDATES = 300  # of which so many are compared exactly


@dataclass(frozen=True, slots=True)
class NameMatch:
    """What a name means: the tag, if exactly one has this path or name; else those that are alike, best first."""

    path: str | None
    suggestions: tuple[str, ...] = ()


class Matcher:
    """Finds the tags of a plant by what others call them. Built once for each version of the plant."""

    def __init__(self, plant: RunningPlant) -> None:
        self.plant = plant
        self._matched: dict[str, NameMatch] = {}

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
        """What a name means, or might; remembered, as a file is looked at again with each decision."""
        if name not in self._matched:
            if len(self._matched) >= _MOST_REMEMBERED:
                self._matched.clear()
            self._matched[name] = self._match(name)
        return self._matched[name]

    def _match(self, name: str) -> NameMatch:
        path = self.certain(name)
        if path is not None:
            return NameMatch(path)
        ambiguous = self._by_name.get(folded(self._spellings(name.strip())[-1]), ())
        return NameMatch(None, tuple(sorted(ambiguous)[:5]) or tuple(self.alike(name, 5)))

    def alike(self, name: str, most: int) -> list[str]:
        """Paths of tags one of whose names shares the most groups of letters with this name, best first.

        Groups that most tags have, such as those of "temperature", tell little: the rare ones find the candidates.
        """
        wanted = _groups(folded(without_unit(name)[0]))
        shared = Counter[int]()
        for places in sorted((self._by_group.get(group, []) for group in wanted), key=len):
            if shared and shared.total() + len(places) > _MOST_COMPARED:
                break
            shared.update(places)
        scores: dict[str, float] = {}
        for place, _count in shared.most_common(_CANDIDATES):
            path, groups = self._entries[place][0], _groups(self._entries[place][1])
            score = 2 * len(wanted & groups) / (len(wanted) + len(groups))
            if score >= _ALIKE:
                scores[path] = max(score, scores.get(path, 0.0))
        return sorted(scores, key=lambda path: (-scores[path], path))[:most]

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
    def _entries(self) -> list[tuple[str, str]]:
        """Each name of each tag, with the tag's path before it."""
        return list(self._likenesses())

    @cached_property
    def _by_group(self) -> dict[str, list[int]]:
        """Places in `_entries` by group of letters."""
        found: defaultdict[str, list[int]] = defaultdict(list)
        for place, (_path, name) in enumerate(self._entries):
            for group in _groups(name):
                found[group].append(place)
        return dict(found)

    def _likenesses(self) -> Iterator[tuple[str, str]]:
        """What a name is held against: the ends of paths, and names with and without the asset's."""
        for path in self.plant.ids:
            tag = self.plant.model.tags[path]
            asset = self.plant.model.nodes[tag.node_path].name
            names = {path.rpartition(".")[2], ".".join(path.split(".")[-2:]), *tag.name.values()}
            names |= {f"{asset[language]} {name}" for language, name in tag.name.items() if language in asset}
            yield from ((path, folded(name)) for name in sorted(names))


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
    """Groups of three letters, or of two Chinese characters; a shorter name is one group."""
    length = _GROUP if text.isascii() else _GROUP - 1
    if len(text) <= length:
        return {text} if text else set()
    return {text[place : place + length] for place in range(len(text) - length + 1)}
