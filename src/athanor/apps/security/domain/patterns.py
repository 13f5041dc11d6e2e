"""Patterns in what people do that an administrator should hear of."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Kind(StrEnum):
    """What was seen."""

    MANY_LOGINS = "many-logins"  # sign-ins refused on many logins from one address: somebody tries passwords
    REFUSALS = "many-refusals"  # of permission, to one person: somebody tries doors
    EXPORTS = "mass-export"  # by one person: somebody carries data away


class Deed(StrEnum):
    """What kind of entry of the trail it is, as far as patterns are concerned."""

    SIGN_IN_REFUSED = "sign-in-refused"
    PERMISSION_REFUSED = "permission-refused"
    EXPORTED = "exported"


@dataclass(frozen=True, slots=True)
class Done:
    """Something that somebody did. `times` is how often within the hour so far, where not each was entered."""

    at: datetime
    deed: Deed
    actor: str
    address: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """From how many on, within which time, it is a pattern."""

    logins: int = 10  # different ones, refused from one address
    logins_within: timedelta = timedelta(minutes=10)
    refusals: int = 20
    refusals_within: timedelta = timedelta(hours=1)
    exports: int = 30
    exports_within: timedelta = timedelta(hours=1)

    def within(self, kind: Kind) -> timedelta:
        """The time of a kind of pattern."""
        return {
            Kind.MANY_LOGINS: self.logins_within,
            Kind.REFUSALS: self.refusals_within,
            Kind.EXPORTS: self.exports_within,
        }[kind]

    @property
    def longest(self) -> timedelta:
        """How far back one has to look."""
        return max(self.within(kind) for kind in Kind)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that was seen: `who` is an address or a login, `count` what came to it."""

    kind: Kind
    who: str
    count: int


def patterns(deeds: Iterable[Done], now: datetime, limits: Limits) -> Sequence[Pattern]:
    """The patterns of what was done until now, each person's and address's by itself."""
    logins: dict[str, set[str]] = defaultdict(set)
    refusals: dict[str, int] = defaultdict(int)
    at_least: dict[str, int] = defaultdict(int)
    exports: dict[str, int] = defaultdict(int)
    for one in deeds:
        age = now - one.at
        if one.deed is Deed.SIGN_IN_REFUSED and one.address and age <= limits.logins_within:
            logins[one.address].add(one.actor)
        elif one.deed is Deed.PERMISSION_REFUSED and age <= limits.refusals_within:
            refusals[one.actor] += 1
            at_least[one.actor] = max(at_least[one.actor], one.times)
        elif one.deed is Deed.EXPORTED and age <= limits.exports_within:
            exports[one.actor] += 1
    refusals |= {who: max(count, at_least[who]) for who, count in refusals.items()}
    found = [
        *(Pattern(Kind.MANY_LOGINS, who, len(tried)) for who, tried in logins.items() if len(tried) >= limits.logins),
        *(Pattern(Kind.REFUSALS, who, count) for who, count in refusals.items() if count >= limits.refusals),
        *(Pattern(Kind.EXPORTS, who, count) for who, count in exports.items() if count >= limits.exports),
    ]
    return sorted(found, key=lambda pattern: (pattern.kind, pattern.who))
