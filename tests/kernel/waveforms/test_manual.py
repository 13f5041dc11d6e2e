"""docs/waveforms.md says what is so: rules name tests, and its reader reads what we write."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from athanor.kernel.waveforms.frame import to_frame
from athanor.kernel.waveforms.port import QUANTITIES

from .signals import vibration, waveform

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "waveforms.md").read_text(encoding="utf-8")
RULES = re.findall(r"^(\d+)\. (.+)$", PAGE, re.MULTILINE)
READER = next(code for code in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "AWF1" in code)


def test_rules_are_numbered_without_a_hole_and_name_tests_that_exist() -> None:
    assert [int(number) for number, _ in RULES] == list(range(1, len(RULES) + 1))
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    for number, rule in RULES:
        named = set(re.findall(r"`(test_\w+)`", rule))
        assert named, f"rule {number} names no test"
        assert named - defined == set(), f"rule {number} names tests that are not there"


def test_every_quantity_is_named() -> None:
    assert [name for name in QUANTITIES if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize(
    "points",
    [
        vibration(5000),
        vibration(1000),
        np.random.default_rng(1).integers(-(2**15), 2**15, 5000).astype(np.int16),
        vibration(5000).astype(np.float32) / 3,
    ],
    ids=["predicted", "plain", "noise", "bytes"],
)
def test_the_reader_in_the_manual_reads_what_we_write(points: np.ndarray) -> None:
    reader: dict[str, object] = {}
    exec(READER.partition("\n\nleft = ")[0], reader)  # noqa: S102 our own manual
    frame = to_frame(waveform(numbers=points))
    header, found, left = reader["read"](frame + b"the next")  # type: ignore[operator]
    assert (header["asset"], header["points"], left) == ("smelter.fans.fan_1", len(points), b"the next")
    assert found.astype(points.dtype).tobytes() == points.tobytes()


def test_the_program_in_the_manual_lists_a_file(tmp_path: Path) -> None:
    file = tmp_path / "one.awf"
    file.write_bytes(b"".join(to_frame(waveform(number)) for number in range(2)))
    told = subprocess.run([sys.executable, "-c", READER, str(file)], check=True, capture_output=True, text=True).stdout
    assert told.count("smelter.fans.fan_1 de_x") == 2
