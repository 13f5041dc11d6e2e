"""An app's manifest: what it is, what it needs, what it says. Read without importing the app."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from athanor.kernel.errors import AthanorError

# What an app may name in `needs`. `plant` is cut to what the viewer may see; `park` is every tenant's, for an app that
# itself decides who sees what. `identity` is uncut too: the app itself asks `accounts.may_administer`.
PORTS = (
    "plant", "park", "historian", "current", "bus", "db", "quarantine", "sources", "jobs",
    "runs", "compute", "imports", "files", "waveforms", "corrections", "arrivals", "storage", "documents", "identity",
    "forms", "transport", "backups", "alarms", "cases", "notify",
)  # fmt: skip


class Manifest(BaseModel):
    """`manifest.toml`. Texts are keyed by language; English is the fallback."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="The folder's name, and the app's part of every address.")
    title: dict[str, str] = Field(min_length=1)
    summary: dict[str, str] = Field(min_length=1)
    icon: str = Field("apps", description="Name of a Material icon.")
    order: int = Field(500, description="Place in the navigation; small comes first.")
    needs: tuple[Literal[PORTS], ...] = ()  # type: ignore[valid-type]
    permissions: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()


class BadManifestError(AthanorError):
    """A manifest that cannot be read."""

    code = "apps.bad-manifest"

    def __init__(self, place: Path, reason: object) -> None:
        super().__init__(f"{place} is no manifest of an app: {reason}. docs/apps.md shows a complete one.")


def read_manifest(path: Path) -> Manifest:
    """Raises BadManifestError."""
    try:
        return Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise BadManifestError(path, error) from error
