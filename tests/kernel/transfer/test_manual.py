"""docs/import.md says what is so."""

import re
import tomllib
from pathlib import Path

from athanor.kernel.transfer.plan import parts_of
from athanor.kernel.transfer.refusals import Reason

MANUAL = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")


def test_the_plan_of_the_manual_is_one() -> None:
    [plan] = re.findall(r"```toml\n(.*?)```", MANUAL, re.DOTALL)
    parts = parts_of(tomllib.loads(plan))
    assert parts["columns"]["TI-101"] == {"tag": "smelter.bath.temperature", "unit": "degF"}
    assert parts["time"]["layout"] == "dmy"
    commented = plan.replace("# sheet", "sheet").replace("# dialect", "dialect")
    assert parts_of(tomllib.loads(commented))["file"]["dialect"]["decimal"] == ","


def test_the_manual_names_every_reason_for_a_refusal() -> None:
    rows = re.findall(r"^\| (`[a-z`, -]+`) \|", MANUAL, re.MULTILINE)
    named = {reason for row in rows for reason in re.findall(r"`([a-z-]+)`", row)}
    assert named == {str(reason) for reason in Reason}
