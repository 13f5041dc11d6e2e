"""The plant's tables. What the file says is replaced whole; only `plant_tags`, which gives out ids, is for ever."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base
from athanor.kernel.plant.model import STANDARD_RETENTION


class ParkRow(Base):
    """The park that runs: one row."""

    __tablename__ = "plant_park"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, str]]
    timezone: Mapped[str]
    types: Mapped[dict[str, Any]] = mapped_column(JSON, server_default="{}")  # of equipment: name and extends, by id
    version: Mapped[int]  # grows by one with every change
    stored_at: Mapped[datetime]


class TenantRow(Base):
    """An enterprise in the park."""

    __tablename__ = "plant_tenants"

    id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int]  # order in the file
    name: Mapped[dict[str, str]]


class NodeRow(Base):
    """A site, area, unit or asset."""

    __tablename__ = "plant_nodes"

    path: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[int]  # order in the tree, parents first
    level: Mapped[str]
    name: Mapped[dict[str, str]]
    tenant: Mapped[str] = mapped_column(ForeignKey("plant_tenants.id"), index=True)
    type: Mapped[str | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    retention: Mapped[str] = mapped_column(server_default=STANDARD_RETENTION)


class TagRow(Base):
    """A tag's id: given once by path, and kept when the tag goes, since the historian's samples bear it."""

    __tablename__ = "plant_tags"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(unique=True)
    retired_at: Mapped[datetime | None]  # when the plant lost it; None while it is there
    retention: Mapped[str] = mapped_column(server_default=STANDARD_RETENTION)  # its class; the last one when it went


class TagDefinitionRow(Base):
    """What the plant file says of a tag that is there."""

    __tablename__ = "plant_tag_definitions"

    tag: Mapped[int] = mapped_column(ForeignKey("plant_tags.id"), primary_key=True, autoincrement=False)
    place: Mapped[int]  # order in the file
    node: Mapped[str] = mapped_column(ForeignKey("plant_nodes.path"), index=True)
    name: Mapped[dict[str, str]]
    unit: Mapped[str]
    kind: Mapped[str]
    low: Mapped[float | None]
    high: Mapped[float | None]
    decimals: Mapped[int]
    low_low_limit: Mapped[float | None]
    low_limit: Mapped[float | None]
    high_limit: Mapped[float | None]
    high_high_limit: Mapped[float | None]
    period_s: Mapped[float | None]
    states: Mapped[dict[str, Any]] = mapped_column(JSON)
    role: Mapped[str | None]
    meter: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
