"""A data product as its owner offers it, and what changed from one version to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """One tag of a product as the contract promises it."""

    path: str
    unit: str  # of the tag; steps may come in another, as the integral of kW in kWh
    kind: str


@dataclass(frozen=True, slots=True)
class Contract:
    """What the owner promises. Times are aware; the end is excluded."""

    valid_from: datetime
    valid_to: datetime | None = None
    freshness_min: float | None = None  # newest good value no older than this [min]
    completeness: float | None = None  # share of a day's expected samples that come and are not bad, 0 to 1

    def is_valid(self, now: datetime) -> bool:
        """Whether it holds at this moment."""
        return self.valid_from <= now and (self.valid_to is None or now < self.valid_to)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a version of a product is."""

    name: Mapping[str, str]
    description: Mapping[str, str]
    columns: tuple[Column, ...]
    step: str | None  # a step of the site's calendar; None for samples
    how: str  # what a step comes to
    back_days: float  # how far back a call may reach [d]
    purpose: str  # what the data may be used for
    contact: str  # who answers for it
    contract: Contract

    @property
    def paths(self) -> tuple[str, ...]:
        """Of its tags, in the owner's order."""
        return tuple(column.path for column in self.columns)

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        plain = asdict(self)
        contract = plain["contract"]
        for key in ("valid_from", "valid_to"):
            contract[key] = None if contract[key] is None else contract[key].isoformat()
        plain["columns"] = list(plain["columns"])
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> "Offer":
        """What `to_json` made."""
        told = dict(plain["contract"])
        for key in ("valid_from", "valid_to"):
            told[key] = None if told[key] is None else datetime.fromisoformat(told[key])
        columns = tuple(Column(**column) for column in plain["columns"])
        return cls(**{**plain, "columns": columns, "contract": Contract(**told)})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changed; None where there was or is nothing."""

    what: str  # a field's name, or `column`
    old: Any
    new: Any


def differences(old: Offer, new: Offer) -> Sequence[Difference]:
    """What a consumer must know of a new version: fields in the order of the offer, then columns by path."""
    fields = ("name", "description", "step", "how", "back_days", "purpose", "contact")
    terms = ("freshness_min", "completeness", "valid_from", "valid_to")
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in fields]
    pairs += [(name, getattr(old.contract, name), getattr(new.contract, name)) for name in terms]
    found = [Difference(*pair) for pair in pairs if pair[1] != pair[2]]
    before, after = ({column.path: column for column in offer.columns} for offer in (old, new))
    found += [
        Difference("column", before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if before.get(path) != after.get(path)
    ]
    return found
