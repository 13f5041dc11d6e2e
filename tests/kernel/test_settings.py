import os
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from athanor.kernel.settings import TEST_PREFIX, BadSettingsError, folder_of, load_settings, reference

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith("ATHANOR_") and not name.startswith(TEST_PREFIX):
            monkeypatch.delenv(name)


def write(content: str, name: str = "athanor.toml") -> Path:
    path = Path(name)
    path.write_text(content, encoding="utf-8")
    return path


def faults_of(path: Path | None = None) -> list[str]:
    with pytest.raises(BadSettingsError) as caught:
        load_settings(path)
    return caught.value.faults


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite+aiosqlite:///athanor-data/athanor.db"
    assert folder_of(settings.lake_url) == tmp_path / "athanor-data" / "lake"
    assert folder_of(settings.files_url) == tmp_path / "athanor-data" / "files"
    assert (settings.bus_url, settings.compute_url) == ("memory:", "processes:")
    assert (settings.server.host, settings.server.port, settings.server.language) == ("127.0.0.1", 8080, "zh_CN")
    assert (settings.ingest.oldest, settings.historian.seal_rows) == (date(1990, 1, 1), 2_000_000)


def test_urls_follow_the_data_folder_also_through_blanks_and_chinese(tmp_path: Path) -> None:
    write(f'data_dir = "{tmp_path}/数据 1"')
    settings = load_settings()
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/数据 1/athanor.db"
    assert folder_of(settings.lake_url) == tmp_path / "数据 1" / "lake"


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[server]\nport = 9000\nlanguage = "en"\n[ingest]\noldest = 2001-02-03\n', "other.toml")
    monkeypatch.setenv("ATHANOR_SERVER__PORT", "9001")
    monkeypatch.setenv("athanor_edge__config", "edge.toml")
    settings = load_settings(path)
    assert (settings.server.port, settings.server.language, settings.server.host) == (9001, "en", "127.0.0.1")
    assert (settings.ingest.oldest, settings.edge.config) == (date(2001, 2, 3), Path("edge.toml"))


def test_settings_never_change() -> None:
    settings = load_settings()
    with pytest.raises(ValidationError):
        settings.server.port = 1  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.data_dir = Path()  # type: ignore[misc]


def test_unknown_keys_are_refused_with_the_nearest_valid_name(monkeypatch: pytest.MonkeyPatch) -> None:
    write('data_dirr = "x"\nport = 80\nzebra = 1\n[server]\nprot = 1\n[histroian]\nseal_after_s = 100\n')
    monkeypatch.setenv("ATHANOR_SERVER__PROT", "1")
    monkeypatch.setenv("ATHANOR_TEST_ANYTHING", "1")  # not a setting: what our own tests are told
    faults = faults_of()
    assert faults[:2] == [
        "athanor.toml: there is no setting 'data_dirr'. Did you mean 'data_dir'?",
        "athanor.toml: there is no setting 'port'. It belongs below [server].",
    ]
    assert faults[2].startswith(
        "athanor.toml: there is no setting 'zebra'. Valid: alarms, backup, bus_url, compute_url,"
    )
    assert faults[3:] == [
        "athanor.toml: [server] has no setting 'prot'. Did you mean 'port'?",
        "athanor.toml: there is no setting 'histroian'. Did you mean 'historian'?",
        "Environment: there is no setting ATHANOR_SERVER__PROT. Did you mean 'ATHANOR_SERVER__PORT'?",
    ]


def test_all_bad_values_are_named_at_once_with_their_source_and_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[server]\nport = 99999\nlanguage = "fr"\n[historian]\nseal_after_s = "much"\n')
    monkeypatch.setenv("ATHANOR_HISTORIAN__SEAL_ROWS", "few")
    faults = faults_of()
    assert [fault.partition(": ")[2].partition(":")[0] for fault in faults] == [
        "server.port",
        "server.language",
        "ATHANOR_HISTORIAN__SEAL_ROWS",
        "historian.seal_after_s",
    ]
    assert faults[0] == (
        "athanor.toml: server.port: Input should be less than or equal to 65535. "
        "It is: TCP port to listen on; 0 lets the system choose."
    )


@pytest.mark.parametrize(
    ("setting", "url", "reason"),
    [
        ("lake_url", "hdfs://bucket/lake", "there is no adapter for 'hdfs' yet; there is: file, s3."),
        ("bus_url", "nats://127.0.0.1", "there is no adapter for 'nats' yet; there is: memory."),
        ("compute_url", "ray://127.0.0.1", "there is no adapter for 'ray' yet; there is: processes."),
        ("database_url", "mysql://a", "there is no adapter for 'mysql' yet; there is: sqlite+aiosqlite, postgresql+as"),
        ("files_url", "/srv/files", "there is no adapter for '/srv/files' yet; there is: file, s3."),
        ("files_url", "s3:///files", "an object store is written as s3://BUCKET/PREFIX"),
        ("files_url", "s3://KEY:SECRET@bucket/files", "an object store is written as s3://BUCKET/PREFIX"),
        ("files_url", "file://srv/files", "a folder is written with three slashes and its whole path"),
    ],
)
def test_an_address_that_no_adapter_serves_is_refused(setting: str, url: str, reason: str) -> None:
    write(f'{setting} = "{url}"')
    (fault,) = faults_of()
    assert fault.startswith(f"athanor.toml: {setting}: {reason}")


def test_an_object_store_without_encryption_is_refused_unless_allowed() -> None:
    write('files_url = "s3://park/files"\n[s3]\nendpoint = "http://127.0.0.1:9000"\n')
    (fault,) = faults_of()
    assert fault.startswith("athanor.toml: s3.allow_http: the endpoint is http://, which everybody on the way can read")
    write('files_url = "s3://park/files"\n[s3]\nendpoint = "http://127.0.0.1:9000"\nallow_http = true\n')
    assert load_settings().s3.endpoint == "http://127.0.0.1:9000"


def test_classes_of_retention_are_named_before_they_have_days() -> None:
    write(
        '[retention]\nclasses = ["fast", "standard"]\nraw_days = {fast = 30, standard = 400}\n'
        "rollup_days = {fast = 30}\n"
    )
    assert load_settings().retention.raw_days == {"fast": 30, "standard": 400}
    write('[retention]\nclasses = ["fast"]\nraw_days = {fats = 30}\nrollup_days = {fast = 1}\n')
    assert faults_of()[0].startswith("athanor.toml: retention.raw_days: 'fats' is not among the classes. Did you mean")
    write('[retention]\nclasses = ["a", "a"]\nraw_days = {a = 0}\n')
    assert [fault.split(": ")[1] for fault in faults_of()] == ["retention.classes", "retention.raw_days.a"]


@pytest.mark.parametrize("raw_days", ["{fast = 31}", "{}"])
def test_rollups_do_not_go_before_their_samples(raw_days: str) -> None:
    write(f'[retention]\nclasses = ["fast"]\nraw_days = {raw_days}\nrollup_days = {{fast = 30}}\n')
    (fault,) = faults_of()
    assert fault.startswith("athanor.toml: retention.rollup_days: the rollups of 'fast' cannot go before its samples")


def test_what_is_said_of_a_disk_is_said_in_time() -> None:
    write("[historian]\ndisk_reserve_mb = 500\ndisk_low_mb = 400\ndisk_warn_mb = 300\n")
    assert faults_of()[0].startswith("athanor.toml: historian.disk_low_mb: 400 MB is less than disk_reserve_mb")


def test_a_password_in_a_bad_address_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATHANOR_DATABASE_URL", "mysql://athanor:secret@db/athanor")
    assert "secret" not in str(faults_of())


def test_a_table_given_as_a_value_is_refused() -> None:
    write("server = 8080")
    assert faults_of() == ["athanor.toml: server is a table; write [server] and its settings below."]


@pytest.mark.parametrize("value", ['{"port": 1}', "rubbish"])
def test_a_section_in_one_variable_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ATHANOR_SERVER", value)
    (fault,) = faults_of()
    assert fault.startswith("Environment: there is no setting ATHANOR_SERVER. Did you mean")


@pytest.mark.parametrize("content", ["[server", "port = ", "\x00"])
def test_a_file_that_is_no_toml_is_refused(content: str) -> None:
    write(content)
    (fault,) = faults_of()
    assert fault.startswith("athanor.toml cannot be read: ")


def test_a_file_that_is_not_there_is_refused() -> None:
    (fault,) = faults_of(Path("nowhere.toml"))
    assert fault.startswith("nowhere.toml cannot be read: ")


def test_the_manual_lists_every_setting() -> None:
    assert reference() in DOCUMENTATION.read_text(encoding="utf-8")
