"""The bill of materials names everything that is pinned, and nothing of the machine that it was written on."""

import importlib.util
import json
import sys
from importlib.metadata import version

from packaging.utils import canonicalize_name

from .tree import ROOT


def test_every_pin_is_in_the_bill_with_the_version_that_is_installed() -> None:
    spec = importlib.util.spec_from_file_location("sbom", ROOT / "scripts" / "sbom.py")
    assert spec is not None
    assert spec.loader is not None
    sbom = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sbom)
    bill = sbom.bill_of_materials(sys.executable, is_checked=False)

    listed = {canonicalize_name(one["name"]): one["version"] for one in bill["components"]}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines if not line.startswith("#")}
    assert pinned - listed.keys() == set()
    assert {name: listed[name] for name in pinned} == {name: version(name) for name in pinned}

    assert bill["metadata"]["component"]["name"] == "athanor"
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert str(ROOT) not in json.dumps(bill)
    assert "file:" not in json.dumps(bill)
