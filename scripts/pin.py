"""Write constraints.txt: the exact version of everything that `pip install -e .[dev]` brought into this environment.

Run it with the environment's own Python after changing a dependency: `.venv/bin/python scripts/pin.py`.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Written by scripts/pin.py. Every version that Athanor was tested with; pip reads it as --constraint.\n"


def closure(name: str, extras: frozenset[str]) -> dict[str, str]:
    """Versions of all that a package and its extras need here, by normalised name; without the package itself."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(name, extras)]
    while waiting:
        wanted = waiting.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        found = distribution(wanted[0])
        versions[canonicalize_name(wanted[0])] = found.version
        waiting += [need for text in found.requires or () if (need := _applies(Requirement(text), wanted[1]))]
    del versions[canonicalize_name(name)]
    return dict(sorted(versions.items()))


def _applies(requirement: Requirement, extras: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    """What a requirement asks for on this machine, or None when its marker rules it out."""
    if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}):
        return None
    return requirement.name, frozenset(requirement.extras)


def main() -> None:
    """Write the file; complain where the environment is not set up."""
    try:
        versions = closure("athanor", frozenset({"dev"}))
    except PackageNotFoundError as missing:
        raise SystemExit(f"{missing.name} is not installed here. Run `make setup-dev`, then this again.") from missing
    lines = [f"{name}=={version}\n" for name, version in versions.items()]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(lines), encoding="utf-8")
    print(f"constraints.txt: {len(lines)} versions")  # noqa: T201


if __name__ == "__main__":
    main()
