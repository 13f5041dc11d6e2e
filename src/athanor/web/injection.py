"""Handing an app the ports that its manifest names and no others, limited to what the viewer may see."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from athanor.kernel.apps.manifest import Manifest
from athanor.kernel.database.database import Database
from athanor.kernel.database.tenancy import SeenDatabase
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User
from athanor.kernel.plant.running import RunningPlant

VIEWER = "viewer"  # every page and route may ask who is looking
PARK = "park"  # the plant uncut
_MOST_VIEWS = 64


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
        self._views: dict[tuple[int, frozenset[str]], RunningPlant] = {}

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
            return self._visible_plant(viewer.tenants)
        if name == "db" and viewer.tenants is not None:
            return SeenDatabase(cast("Database", self._ports[name]), viewer.tenants)
        return self._ports[name]

    def _visible_plant(self, tenants: frozenset[str] | None) -> RunningPlant:
        """Cutting a large plant takes a while, so each cut is kept as long as the plant's version lasts."""
        plant = self.plant
        if tenants is None:
            return plant
        key = (plant.version, tenants)
        if key not in self._views:
            if len(self._views) >= _MOST_VIEWS or any(version != plant.version for version, _tenants in self._views):
                self._views.clear()
            self._views[key] = plant.visible_to(tenants)
        return self._views[key]


def open_parameters(function: Callable[..., Any], handed: list[str]) -> list[inspect.Parameter]:
    """The parameters that are not handed over: those of the path and the query."""
    return [one for name, one in inspect.signature(function, eval_str=True).parameters.items() if name not in handed]
