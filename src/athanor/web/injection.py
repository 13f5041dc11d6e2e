"""Handing an app the ports that its manifest names and no others, limited to what the viewer may see."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from athanor.kernel.apps.manifest import Manifest
from athanor.kernel.current import CurrentValues
from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.errors import AthanorError
from athanor.kernel.historian.port import Historian
from athanor.kernel.historian.seen import SeenCurrentValues, SeenHistorian
from athanor.kernel.identity.user import Share, User
from athanor.kernel.plant.running import RunningPlant

VIEWER = "viewer"  # every page and route may ask who is looking
PARK = "park"  # the plant uncut
_MOST_VIEWS = 64
_OF_SAMPLES = ("historian", "current")  # the ports that samples come out of


class PortNotGrantedError(AthanorError):
    """An app's function asks for a port that its manifest does not name."""

    code = "web.port-not-granted"

    def __init__(self, app_id: str, function: Callable[..., Any], port: str) -> None:
        super().__init__(
            f"{function.__module__}.{function.__qualname__} of app {app_id!r} takes the port {port!r}, which its "
            "manifest does not name. Add it to `needs` in manifest.toml, or drop the parameter."
        )


class Ports:
    """The kernel's ports by name. `plant` is read anew for each request, so that a reloaded plant shows at once."""

    def __init__(self, ports: Mapping[str, object]) -> None:
        self._ports = ports
        self._views: dict[tuple[int, frozenset[str], tuple[Share, ...]], RunningPlant] = {}

    @property
    def plant(self) -> RunningPlant:
        """The whole plant that runs."""
        plant = self._ports["plant"]
        if not isinstance(plant, RunningPlant):
            raise TypeError(f"The port `plant` holds a {type(plant).__name__}, not a RunningPlant.")
        return plant

    def names_in(self, manifest: Manifest, function: Callable[..., Any]) -> list[str]:
        """The ports that a function asks for by parameter name. Raises PortNotGrantedError."""
        asked = [
            name for name in inspect.signature(function).parameters if name in self._ports or name in (VIEWER, PARK)
        ]
        for name in asked:
            if name != VIEWER and name not in manifest.needs:
                raise PortNotGrantedError(manifest.id, function, name)
        return asked

    def whole(self, names: list[str]) -> dict[str, object]:
        """These ports uncut, for an app's handlers: they work for every tenant and nobody looks on."""
        return {name: self.plant if name == PARK else self._ports[name] for name in names}

    def hand_over(self, names: list[str], viewer: User) -> dict[str, object]:
        """These ports as this viewer may have them."""
        return {name: self._as_seen_by(name, viewer) for name in names}

    def _as_seen_by(self, name: str, viewer: User) -> object:
        if name == VIEWER:
            return viewer
        if name == PARK:
            return self.plant
        if name == "plant":
            return self._visible_plant(viewer)
        if name == "db" and viewer.tenants is not None:
            return SeenDatabase(cast("Database", self._ports[name]), viewer.tenants)
        if name in _OF_SAMPLES and any(share.data_from is not None for share in viewer.shares):
            return self._since(name, viewer)
        return self._ports[name]

    def _since(self, name: str, viewer: User) -> object:
        """Historian and current values for whom others let see their data from some moment on."""
        since = self._visible_plant(viewer).since
        if not since:
            return self._ports[name]
        if name == "historian":
            return SeenHistorian(cast("Historian", self._ports[name]), since)
        return SeenCurrentValues(cast("CurrentValues", self._ports[name]), since)

    def _visible_plant(self, viewer: User) -> RunningPlant:
        """Cutting a large plant takes a while, so each cut is kept as long as the plant's version lasts.

        What others share is part of the key: a share that ends is gone from the next plant that is handed over.
        """
        plant = self.plant
        if viewer.tenants is None:
            return plant
        key = (plant.version, viewer.tenants, viewer.shares)
        if key not in self._views:
            if len(self._views) >= _MOST_VIEWS or any(version != plant.version for version, *_whose in self._views):
                self._views.clear()
            self._views[key] = plant.visible_to(viewer.tenants, viewer.shares)
        return self._views[key]


def open_parameters(function: Callable[..., Any], handed: list[str]) -> list[inspect.Parameter]:
    """The parameters that are not handed over: those of the path and the query."""
    return [one for name, one in inspect.signature(function, eval_str=True).parameters.items() if name not in handed]
