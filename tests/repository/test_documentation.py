"""The documentation says what is so."""

import re
from pathlib import Path
from textwrap import dedent

import pytest

import athanor
from athanor.edge.config import load_edge_config
from athanor.kernel.plant.yaml_file import load_plant
from athanor.kernel.settings import load_settings
from athanor.kernel.units import check_unit

from .tree import ROOT, SOURCE, code_blocks, files, links, named, pages, pyproject

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PAGES = pytest.mark.parametrize("page", pages(), ids=named)


def anchors(page: Path) -> set[str]:
    """Names by which a page's headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, target: str) -> bool:
    """Whether a link within the repository has an end."""
    place, _, anchor = target.partition("#")
    end = (page.parent / place).resolve() if place else page
    return end.exists() and (not anchor or anchor in anchors(end))


@PAGES
def test_links_lead_somewhere(page: Path) -> None:
    inside = [target for target in links(page) if not re.match(r"[a-z]+:", target)]
    assert [target for target in inside if not leads_somewhere(page, target)] == []


@PAGES
def test_make_commands_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named_commands = set(re.findall(r"(?:`|^ {4}|^)make ([a-z-]+)", text, re.MULTILINE))
    assert named_commands - targets == set()


@PAGES
def test_python_in_the_documentation_compiles(page: Path) -> None:
    for number, code in enumerate(code_blocks(page, "python")):
        compile(dedent(code), f"{named(page)} block {number}", "exec")


@pytest.mark.parametrize("readme", READMES, ids=named)
def test_the_readme_names_the_two_commands_that_do_everything(readme: Path) -> None:
    commands = "\n".join(code_blocks(readme, "sh"))
    assert re.findall(r"^make \S+", commands, re.MULTILINE) == ["make demo", "make test"]


def test_both_readmes_show_the_same_pictures_and_the_same_commands_and_files() -> None:
    english, chinese = (
        (
            sorted(link.replace("-zh.", ".") for link in links(page) if link.endswith(".png")),
            [code_blocks(page, language) for language in ("sh", "yaml", "toml")],
        )
        for page in READMES
    )
    assert chinese == english


def test_the_readmes_plant_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in [*code_blocks(READMES[0], "yaml"), *code_blocks(READMES[0], "toml")]:
        (tmp_path / code.partition("\n")[0].removeprefix("# ")).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.plant_file
    assert settings.edge.config
    plant = load_plant(settings.plant_file)
    edge = load_edge_config(settings.edge.config)
    assert {tag for source in edge.sources for tag in source.tags} == set(plant.tags)


def test_the_continuous_integration_runs_the_readmes_test_command() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("exec make test")


def test_the_changelog_knows_the_current_version() -> None:
    assert f"## [{athanor.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_code_refers_to_pages_that_exist() -> None:
    wanted = {
        name
        for path in files()
        if path.is_relative_to(SOURCE) and path.suffix in {".py", ".toml", ".yaml", ".txt"}
        for name in re.findall(r"docs/[a-z-]+\.[a-z]+", path.read_text(encoding="utf-8"))
    }
    assert {name for name in wanted if not (ROOT / name).is_file()} == set()


def test_the_architecture_names_files_that_exist() -> None:
    named_files = re.findall(r"`([a-z_]+/[a-z_/.-]*)`", (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    missing = {name for name in named_files if not (ROOT / name).exists() and not (SOURCE / name).exists()}
    assert missing == set()


def test_every_unit_that_the_manual_names_is_known() -> None:
    rows = re.findall(
        r"^\| [^|]+ \| (`.+`) \|$", (ROOT / "docs" / "units.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    units = [unit for row in rows for unit in re.findall(r"`([^`]+)`", row)]
    assert len(units) > 50
    for unit in units:
        check_unit(unit)


def test_the_licence_is_the_one_declared() -> None:
    assert pyproject()["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_decisions_are_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = {path.name for path in folder.glob("[0-9]*.md")}
    assert set(links(folder / "README.md")) == records
