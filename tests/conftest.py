"""What every test may ask for: the programs of the system that some need."""

import os
import shutil
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))  # Debian's place for servers is last


@pytest.fixture(scope="session")
def require_chromium() -> Path:
    """The browser's program, for Playwright's `executable_path`. Without one the test is skipped; in CI it fails."""
    return _program("Chromium", *BROWSERS)


@pytest.fixture(scope="session")
def require_mosquitto() -> Path:
    """The broker's program. Without one the test is skipped; in CI it fails."""
    return _program("Mosquitto", "mosquitto")


def _program(title: str, *names: str) -> Path:
    found = next((path for name in names if (path := shutil.which(name, path=_PLACES))), None)
    if found is not None:
        return Path(found)
    reason = f"{title} is not installed; scripts/install-test-tools says how to enable this test."
    if os.environ.get("ATHANOR_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
