"""Write a software bill of materials: every package of this environment as CycloneDX 1.6 JSON.

Run it with the environment's own Python: `.venv/bin/python scripts/sbom.py FILE`. It needs no network. Where a package
was installed from is left out when that is a folder: the file is for others.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_COMMAND = ("environment", "--pyproject", str(ROOT / "pyproject.toml"), "--short-PURLs", "--output-reproducible")


def bill_of_materials(python: str, *, is_checked: bool) -> dict[str, Any]:
    """What is installed beside this interpreter, as CycloneDX has it; checked by its schema, which takes a while."""
    checking = "--validate" if is_checked else "--no-validate"
    command = [sys.executable, "-m", "cyclonedx_py", *_COMMAND, checking, python]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 our own words
    if done.returncode != 0:
        raise SystemExit(f"cyclonedx-py failed: {done.stderr.strip()}. Run `make setup-dev`, then this again.")
    bill: dict[str, Any] = json.loads(done.stdout)
    for component in (bill["metadata"].get("component", {}), *bill["components"]):
        references = [one for one in component.get("externalReferences", ()) if not one["url"].startswith("file:")]
        component["externalReferences"] = references
    return bill


def main(file: Path) -> None:
    """Write it."""
    bill = bill_of_materials(sys.executable, is_checked=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(bill, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{file}: {len(bill['components'])} packages")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/athanor.cdx.json"))
