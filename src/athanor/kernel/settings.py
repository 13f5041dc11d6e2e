"""Settings: `athanor.toml`, over it the environment (`ATHANOR_*`), under both the defaults.

Read once at start, checked whole, never changed. docs/settings.md lists them; a test keeps it true.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from athanor.kernel.errors import AthanorError
from athanor.kernel.sections import (
    AlarmSettings,
    BackupSettings,
    EdgeSettings,
    FilesSettings,
    HistorianSettings,
    IngestSettings,
    LdapSettings,
    LogSettings,
    NotifySettings,
    OidcSettings,
    RetentionSettings,
    S3Settings,
    Section,
    SecuritySettings,
    ServerSettings,
    TransferSettings,
)
from athanor.kernel.spelling import suggestion

DEFAULT_FILE = Path("athanor.toml")
PREFIX = "ATHANOR_"
TEST_PREFIX = "ATHANOR_TEST_"  # what our tests are told; no settings
EDGE_TOKEN = "ATHANOR_EDGE_TOKEN"  # noqa: S105 a variable's name: an edge on this machine may read it
ELSEWHERE = (
    EDGE_TOKEN,
    "ATHANOR_VAULT_KEY",
    "ATHANOR_BACKUP_PASSPHRASE",
)  # secrets that are read where they are needed
_DELIMITER = "__"

# Adapters that exist. A port grows by an adapter and a line here.
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "database_url": ("sqlite+aiosqlite", "postgresql+asyncpg"),
    "lake_url": ("file", "s3"),
    "files_url": ("file", "s3"),
    "bus_url": ("memory",),
    "compute_url": ("processes",),
}

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

# Pydantic's errors that only follow from a fault which is named already.
_SAID_ELSEWHERE = frozenset({"extra_forbidden", "model_attributes_type", "model_type", "default_factory_not_called"})


class BadSettingsError(AthanorError):
    """Settings that Athanor cannot start with: all faults of file and environment at once."""

    code = "settings.bad"

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("The settings cannot be used. Correct and start again:\n" + "\n".join(faults))


def _below_data_dir(scheme: str, name: str) -> Any:
    def url(values: dict[str, Any]) -> str:
        path = values.get("data_dir", Path()) / name
        return path.absolute().as_uri() if scheme == "file" else f"{scheme}:///{path}"

    return url


class Settings(BaseSettings):
    """All settings of a server. Make one with `load_settings`."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter=_DELIMITER,
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(
        default=Path("athanor-data"), description="Folder for all that Athanor keeps; made if missing."
    )
    plant_file: Path | None = Field(
        default=None, description="The plant's YAML file; without one the stored plant runs."
    )
    database_url: str = Field(
        default_factory=_below_data_dir("sqlite+aiosqlite", "athanor.db"),
        description="Transactional tables: sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME.",
        json_schema_extra={"shown": "athanor.db in data_dir"},
    )
    lake_url: str = Field(
        default_factory=_below_data_dir("file", "lake"),
        description="Sealed telemetry: file:///FOLDER or s3://BUCKET/PREFIX.",
        json_schema_extra={"shown": "lake in data_dir"},
    )
    files_url: str = Field(
        default_factory=_below_data_dir("file", "files"),
        description="Waveforms, snapshots and documents: file:///FOLDER or s3://BUCKET/PREFIX.",
        json_schema_extra={"shown": "files in data_dir"},
    )
    bus_url: str = Field(default="memory:", description="Live batches and events: memory: (within the server).")
    compute_url: str = Field(default="processes:", description="Heavy work: processes: (a pool on this machine).")
    server: ServerSettings = ServerSettings()
    historian: HistorianSettings = HistorianSettings()
    retention: RetentionSettings = RetentionSettings()
    edge: EdgeSettings = EdgeSettings()
    ingest: IngestSettings = IngestSettings()
    security: SecuritySettings = SecuritySettings()
    files: FilesSettings = FilesSettings()
    ldap: LdapSettings = LdapSettings()
    oidc: OidcSettings = OidcSettings()
    transfer: TransferSettings = TransferSettings()
    s3: S3Settings = S3Settings()
    backup: BackupSettings = BackupSettings()
    alarms: AlarmSettings = AlarmSettings()
    notify: NotifySettings = NotifySettings()
    log: LogSettings = LogSettings()

    @field_validator(*SCHEMES)
    @classmethod
    def _has_an_adapter(cls, url: str, info: ValidationInfo) -> str:
        existing = SCHEMES[info.field_name or ""]
        scheme, colon, rest = url.partition(":")
        if scheme not in existing or not colon:
            raise ValueError(f"there is no adapter for {scheme!r} yet; there is: {', '.join(existing)}")
        if scheme == "file" and not (rest.startswith("///") and urlsplit(url).path.strip("/")):
            raise ValueError("a folder is written with three slashes and its whole path: file:///srv/athanor/lake")
        if scheme == "s3" and not _BUCKET.fullmatch(urlsplit(url).netloc):
            raise ValueError("an object store is written as s3://BUCKET/PREFIX, and its endpoint below [s3]")
        if scheme == "postgresql+asyncpg" and find_spec("asyncpg") is None:
            raise ValueError("PostgreSQL needs the package asyncpg; install it with: pip install asyncpg")
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the names are pydantic-settings' own
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose content is given as arguments."""
        return env_settings, init_settings


def load_settings(path: Path | None = None) -> Settings:
    """Settings of a file and the environment; of `athanor.toml` here, if there is one, when no file is named.

    Raises BadSettingsError.
    """
    content = _content(path)
    file = path or DEFAULT_FILE
    faults = [*_unknown_keys(content, file), *_unknown_variables()]
    try:
        settings = Settings(**content)
    except ValidationError as error:
        faults += [_fault(detail, file) for detail in error.errors() if detail["type"] not in _SAID_ELSEWHERE]
        raise BadSettingsError(faults) from error
    except SettingsError as error:  # a whole section in one variable, which is among the unknown ones
        raise BadSettingsError(faults) from error
    if faults:
        raise BadSettingsError(faults)
    return settings


def folder_of(url: str) -> Path:
    """The folder that a `file:///` URL means."""
    return Path(unquote(urlsplit(url).path))


def reference() -> str:
    """All settings as Markdown tables: what docs/settings.md shows."""
    tables = [_table("Top level", None, Settings)]
    for name, field in Settings.model_fields.items():
        if (section := _section(field)) is not None:
            tables.append(_table(f"[{name}]", name, section))
    return "\n\n".join(tables)


def _content(path: Path | None) -> dict[str, Any]:
    if path is None and not DEFAULT_FILE.exists():
        return {}
    file = path or DEFAULT_FILE
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSettingsError(
            [f"{file} cannot be read: {error}. Check that it is there and that it is TOML."]
        ) from error


def _unknown_keys(content: Mapping[str, Any], file: Path) -> Iterator[str]:
    for key, value in content.items():
        field = Settings.model_fields.get(key)
        if field is None:
            yield f"{file}: there is no setting {key!r}. {_where_it_is(key)}"
        elif (section := _section(field)) is not None:
            if not isinstance(value, dict):
                yield f"{file}: {key} is a table; write [{key}] and its settings below."
                continue
            for inner in value:
                if inner not in section.model_fields:
                    yield f"{file}: [{key}] has no setting {inner!r}. {suggestion(inner, section.model_fields)}"


def _where_it_is(key: str) -> str:
    """A cure for an unknown key at the top level: it may belong into a table."""
    homes = [
        name
        for name, field in Settings.model_fields.items()
        if (section := _section(field)) is not None and key in section.model_fields
    ]
    return f"It belongs below [{homes[0]}]." if homes else suggestion(key, Settings.model_fields)


def _unknown_variables() -> Iterator[str]:
    known = _variables()
    for variable in sorted(os.environ):
        name = variable.upper()
        if name.startswith(PREFIX) and not name.startswith(TEST_PREFIX) and name not in (*ELSEWHERE, *known):
            yield f"Environment: there is no setting {variable}. {suggestion(name, known)}"


def _variables() -> dict[str, tuple[str, ...]]:
    """Every environment variable that is read, and the setting it means."""
    variables: dict[str, tuple[str, ...]] = {}
    for name, field in Settings.model_fields.items():
        section = _section(field)
        places = [(name,)] if section is None else [(name, inner) for inner in section.model_fields]
        variables |= {PREFIX + _DELIMITER.join(place).upper(): place for place in places}
    return variables


def _fault(detail: Any, file: Path) -> str:
    place = tuple(str(part) for part in detail["loc"])
    variable = PREFIX + _DELIMITER.join(place).upper()
    is_from_environment = variable in {name.upper() for name in os.environ}
    where = f"Environment: {variable}" if is_from_environment else f"{file}: {'.'.join(place)}"
    reason = detail["msg"].removeprefix("Value error, ")
    field = _field(place)
    return f"{where}: {reason}." + (f" It is: {field.description}" if field is not None else "")


def _field(place: tuple[str, ...]) -> FieldInfo | None:
    field = Settings.model_fields.get(place[0])
    if field is None or len(place) == 1:
        return field
    section = _section(field)
    return None if section is None else section.model_fields.get(place[1])


def _section(field: FieldInfo) -> type[Section] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _table(title: str, section: str | None, model: type[BaseModel]) -> str:
    rows = [f"## {title}", ""]
    if section is not None:
        rows += [model.__doc__ or "", ""]
    rows += ["| setting | default | meaning | environment |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        if _section(field) is None:
            place = (name,) if section is None else (section, name)
            variable = PREFIX + _DELIMITER.join(place).upper()
            rows.append(f"| `{name}` | {_default(field)} | {field.description} | `{variable}` |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    if isinstance(field.json_schema_extra, dict):
        return str(field.json_schema_extra["shown"])
    return "none" if field.default is None else f"`{field.default}`"
