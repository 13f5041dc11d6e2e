"""Finding apps: our own and third parties' come by the same entry-point group, `athanor.apps`.

An app that cannot be loaded is named with its reason and left out; the others and the platform go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

import structlog

from athanor.kernel.apps.app import App, BadDeclarationError
from athanor.kernel.apps.manifest import BadManifestError, Manifest, read_manifest
from athanor.kernel.errors import AthanorError

_log = structlog.get_logger(__name__)
GROUP = "athanor.apps"


class AppFailedError(AthanorError):
    """An app's own code failed while it was loaded."""

    code = "apps.failed"

    def __init__(self, app_id: str, reason: object) -> None:
        super().__init__(
            f"App {app_id!r} failed while it was loaded ({reason}). It is left out; tell its maker, or uninstall it."
        )


@dataclass(frozen=True, slots=True)
class Registry:
    """The apps that are there, in the order of the navigation, and those that could not be loaded."""

    apps: tuple[App, ...]
    failures: tuple[AthanorError, ...]


def load_apps(found: Sequence[EntryPoint] | None = None) -> Registry:
    """Load every installed app, or those given."""
    apps: dict[str, App] = {}
    failures: list[AthanorError] = []
    for entry in sorted(entry_points(group=GROUP) if found is None else found, key=lambda one: one.name):
        try:
            app = _load(entry)
            if app.manifest.id in apps:
                raise BadDeclarationError(app.manifest.id, f"{entry.value} brings an id that is taken")
        except AthanorError as error:
            failures.append(error)
            _log.error("apps.left-out", entry_point=entry.value, reason=str(error))
        else:
            apps[app.manifest.id] = app
    return Registry(
        tuple(sorted(apps.values(), key=lambda app: (app.manifest.order, app.manifest.id))), tuple(failures)
    )


def manifests(found: Sequence[EntryPoint] | None = None) -> list[Manifest]:
    """The manifest of every installed app, or of those given, in the order of the navigation; no app is imported.

    One that cannot be read is left out: `load_apps` says so.
    """
    read = []
    for entry in entry_points(group=GROUP) if found is None else found:
        try:
            read.append(read_manifest(_folder(entry) / "manifest.toml"))
        except AthanorError:
            continue
    return sorted(read, key=lambda manifest: (manifest.order, manifest.id))


def _load(entry: EntryPoint) -> App:
    manifest = read_manifest(_folder(entry) / "manifest.toml")
    if manifest.id != entry.name:
        raise BadDeclarationError(manifest.id, f"its entry point is called {entry.name!r}")
    app = App(manifest)
    try:
        entry.load().setup(app)
    except AthanorError:
        raise
    except (Exception, SystemExit) as error:  # whatever it does, it is one app of many
        _log.exception("apps.failed", app=manifest.id)
        raise AppFailedError(manifest.id, f"{type(error).__name__}: {error}") from error
    return app


def _folder(entry: EntryPoint) -> Path:
    """Where the app's package lies, found without importing it."""
    try:
        spec = find_spec(entry.module)
    except (ImportError, ValueError) as error:
        raise AppFailedError(entry.name, error) from error
    if spec is None or spec.origin is None:
        raise BadManifestError(Path(entry.module.replace(".", "/")) / "manifest.toml", "its package is not installed")
    return Path(spec.origin).parent
