"""The example of a third party's app: an ordinary pip package that Athanor finds by itself."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .tree import ROOT, files

EXAMPLE = ROOT / "examples" / "hello-app"
SERVER = """
import asyncio, json, sys
from pathlib import Path
from athanor.kernel.settings import load_settings
from athanor.main import address_of, listen, serve
from athanor.platform import open_platform


async def main(file: Path) -> None:
    settings = load_settings(file)
    async with open_platform(settings) as platform:
        password = await platform.identity.accounts.ensure_administrator()
        socket = listen(settings)
        await serve(platform, socket, on_ready=lambda: print(json.dumps([address_of(socket), password]), flush=True))


asyncio.run(main(Path(sys.argv[1])))
"""
PLANT = """
park: {id: works, name: {en: Works}, timezone: UTC}
tenants: [{id: copper, name: {en: Copper Works}}]
sites:
  - {id: smelter, tenant: copper, name: {en: Smelter}, tags: [
      {id: power, name: {en: Power}, unit: kW, range: [0, 100], role: tenant.power}]}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example, apart from the environment that the tests run in."""
    copy, folder = tmp_path_factory.mktemp("hello"), tmp_path_factory.mktemp("site-packages")
    for path in files():
        if path.is_relative_to(EXAMPLE):
            target = copy / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    pip = [sys.executable, "-m", "pip", "install", *options, folder, copy]
    answer = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return folder


def python(*arguments: str | Path, beside: Path, cwd: Path = ROOT) -> str:
    """What a Python says that also finds the packages in a folder."""
    environment = os.environ | {"PYTHONPATH": str(beside)}
    answer = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_its_own_tests_pass_on_what_pip_installed(installed: Path) -> None:
    said = python("-m", "pytest", "-p", "no:cacheprovider", EXAMPLE / "tests", beside=installed, cwd=EXAMPLE)
    assert "3 passed" in said


def test_pip_brings_its_data_too(installed: Path) -> None:
    package = installed / "athanor_hello"
    assert (package / "manifest.toml").is_file()
    assert (package / "locale" / "zh_CN.po").is_file()


@pytest.fixture(scope="module")
def signed_in(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Who has signed in, as the administrator, at a server that runs beside the installed example."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    settings = folder / "athanor.toml"
    settings.write_text(
        f'data_dir = "{folder}/data"\nplant_file = "{folder}/plant.yaml"\nserver = {{port = 0, language = "en"}}\n'
    )
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", SERVER, settings]
    log = (folder / "log").open("w")
    with log, subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            assert said, (folder / "log").read_text()
            address, password = json.loads(said)
            with httpx.Client(base_url=address, follow_redirects=True, trust_env=False) as client:
                client.post("/sign-in", data={"login": "admin", "password": password})
                yield client
        finally:
            server.terminate()


def test_its_page_stands_in_the_navigation_of_a_server_that_never_heard_of_it(signed_in: httpx.Client) -> None:
    overview, hello = signed_in.get("/overview"), signed_in.get("/hello")
    assert (overview.status_code, hello.status_code) == (200, 200)
    assert '"href":"/hello"' in overview.text
    assert "Hello, Administrator" in hello.text
    assert "Copper Works" in hello.text


def test_it_speaks_chinese(signed_in: httpx.Client) -> None:
    hello = signed_in.get("/hello", headers={"Accept-Language": "zh-CN"})
    assert "你好，Administrator" in hello.text
