"""What every test may ask for: the programs of the system that some need, and what happens when one is missing."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_EVERYTHING_MUST_RUN = os.environ.get("ATHANOR_TEST_REQUIRE_ALL") == "1"
_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))  # Debian's place for servers is last


@pytest.fixture(scope="session")
def require_chromium() -> Path:
    """The browser's program, for Playwright's `executable_path`. Skips the test where there is none."""
    return _program("Chromium", *BROWSERS)


@pytest.fixture(scope="session")
def require_mosquitto() -> Path:
    """The broker's program. Skips the test where there is none."""
    return _program("Mosquitto", "mosquitto")


def _program(title: str, *names: str) -> Path:
    found = next((path for name in names if (path := shutil.which(name, path=_PLACES))), None)
    if found is None:
        pytest.skip(f"{title} is not installed; scripts/install-test-tools says how to enable this test.")
    return Path(found)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that skips itself has failed: what is not run there is run nowhere."""
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    return _without_skip((yield))


def _without_skip(report: Report) -> Report:
    if _EVERYTHING_MUST_RUN and report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"ATHANOR_TEST_REQUIRE_ALL=1 allows no skipped test: {report.longrepr}"
    return report
