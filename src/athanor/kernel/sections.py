"""The tables of `athanor.toml`: each a section of the settings, with its defaults and what is refused."""

import math
import re
from collections.abc import Mapping
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from athanor.kernel.spelling import suggestion

_CLASS = re.compile(r"[a-z0-9_]+")


class Section(BaseModel):
    """A table of `athanor.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ServerSettings(Section):
    """Where people and programs reach the server."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0 for every interface."
    )
    port: int = Field(default=8080, ge=0, le=65535, description="TCP port to listen on; 0 lets the system choose.")
    language: Literal["zh_CN", "en"] = Field(default="zh_CN", description="Language of pages for those who chose none.")
    tls_certificate: Path | None = Field(
        default=None, description="Certificate (PEM, with those between it and the root); with tls_key: https."
    )
    tls_key: Path | None = Field(
        default=None, validate_default=True, description="Its private key (PEM), readable by the server alone."
    )
    behind_proxy: tuple[str, ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose X-Forwarded-For and -Proto are believed.",
        examples=[["10.0.0.2"]],
    )

    @field_validator("tls_key")
    @classmethod
    def _comes_with_its_certificate(cls, key: Path | None, info: ValidationInfo) -> Path | None:
        if (key is None) != (info.data.get("tls_certificate") is None):
            raise ValueError("tls_certificate and tls_key belong together; give both, or neither")
        return key

    @field_validator("behind_proxy")
    @classmethod
    def _are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ip_network(proxy, strict=False)  # a ValueError of its own says what is wrong
        return proxies


class HistorianSettings(Section):
    """How telemetry is kept."""

    seal_rows: int = Field(
        default=2_000_000,
        ge=1000,
        description="Samples in the hot tail from which it is sealed; 1 M take 25 MB. [rows]",
    )
    seal_after_s: float = Field(default=3600, gt=0, description="Age of the hot tail from which it is sealed. [s]")
    disk_reserve_mb: int = Field(
        default=64, ge=1, description="Free room on the disk below which samples are refused; edges keep them. [MB]"
    )
    disk_low_mb: int = Field(
        default=2048, ge=1, description="Free room below which the oldest samples go; see [retention]. [MB]"
    )
    disk_warn_mb: int = Field(
        default=10_240, ge=1, description="Free room below which it is said that it runs out. [MB]"
    )

    @field_validator("disk_low_mb", "disk_warn_mb")
    @classmethod
    def _is_said_in_time(cls, megabytes: int, info: ValidationInfo) -> int:
        below = {"disk_low_mb": "disk_reserve_mb", "disk_warn_mb": "disk_low_mb"}[info.field_name or ""]
        if megabytes < info.data.get(below, 0):
            raise ValueError(f"{megabytes} MB is less than {below}, so it would come too late")
        return megabytes


class RetentionSettings(Section):
    """How long each class of tags keeps what. Nothing goes of a class for which no days are given."""

    classes: tuple[str, ...] = Field(
        default=("standard",),
        description="Classes that tags may have; where the disk is short the first goes first.",
        json_schema_extra={"shown": '`["standard"]`'},
    )
    raw_days: Mapping[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description="How long samples are kept, by class: {fast = 30}. Rollups of them stay. [d]",
        json_schema_extra={"shown": "for ever"},
    )
    rollup_days: Mapping[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description="How long the rollups of samples that are gone are kept, by class. [d]",
        json_schema_extra={"shown": "for ever"},
    )
    waveform_days: Mapping[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description="How long waveforms are kept, by class of their asset. [d]",
        json_schema_extra={"shown": "for ever"},
    )
    drop_oldest_when_full: bool = Field(
        default=True, description="Whether the oldest samples go where the disk has less than historian.disk_low_mb."
    )
    keep_days_when_full: int = Field(default=30, ge=1, description="The last so many days never go for that. [d]")

    @field_validator("classes")
    @classmethod
    def _are_words_and_one_each(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(classes)) < len(classes):
            raise ValueError("a class stands there twice")
        for name in classes:
            if not _CLASS.fullmatch(name):
                raise ValueError(f"{name!r} may hold only small letters, digits and _")
        return classes

    @field_validator("raw_days", "rollup_days", "waveform_days")
    @classmethod
    def _are_of_known_classes(cls, days: Mapping[str, int], info: ValidationInfo) -> Mapping[str, int]:
        classes: tuple[str, ...] = info.data.get("classes", tuple(days))  # not there where they are wrong themselves
        for name in days:
            if name not in classes:
                raise ValueError(f"{name!r} is not among the classes. {suggestion(name, classes)}")
        return days

    @field_validator("rollup_days")
    @classmethod
    def _outlive_their_samples(cls, days: Mapping[str, int], info: ValidationInfo) -> Mapping[str, int]:
        raw_days: Mapping[str, int] = info.data.get("raw_days", days)  # not there where they are wrong themselves
        for name, rollup_days in days.items():
            if rollup_days < raw_days.get(name, math.inf):
                raise ValueError(
                    f"the rollups of {name!r} cannot go before its samples, of which they are made: give it raw_days "
                    "too, no greater"
                )
        return days


class EdgeSettings(Section):
    """The edge that runs as a child of the server."""

    config: Path | None = Field(default=None, description="The edge's own file; without one no edge is started.")


class IngestSettings(Section):
    """Which samples are taken in."""

    max_ahead_s: float = Field(default=300, ge=0, description="A source time further in the future is impossible. [s]")
    oldest: date = Field(default=date(1990, 1, 1), description="A source time before this day (UTC) is impossible.")


class S3Settings(Section):
    """The object store that s3:// addresses mean. Keys come from the environment: AWS_ACCESS_KEY_ID and the like."""

    endpoint: str | None = Field(
        default=None, pattern=r"^https?://", description="Where it answers, https://HOST:PORT; Amazon's when left out."
    )
    region: str = Field(default="us-east-1", min_length=1, description="Region, as the store calls it.")
    addressing: Literal["path", "virtual"] = Field(
        default="path", description="Where the bucket's name goes: path (HOST/BUCKET) or virtual (BUCKET.HOST)."
    )
    timeout_s: float = Field(
        default=10, ge=0.1, le=300, description="Longest wait for one answer; with its repeats three times that. [s]"
    )
    allow_http: bool = Field(
        default=False, validate_default=True, description="Whether the endpoint may be http://, without encryption."
    )

    @field_validator("allow_http")
    @classmethod
    def _is_encrypted_unless_allowed(cls, allowed: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 pydantic's
        if not allowed and str(info.data.get("endpoint")).startswith("http://"):
            raise ValueError("the endpoint is http://, which everybody on the way can read; true allows that")
        return allowed

    def for_adapters(self) -> dict[str, Any]:
        """As the adapters that speak to an object store take it."""
        return {
            "endpoint": self.endpoint,
            "region": self.region,
            "virtual_hosted": self.addressing == "virtual",
            "allow_http": self.allow_http,
            "timeout_s": self.timeout_s,
        }


class SecuritySettings(Section):
    """Passwords, sessions and second factors."""

    password_min_length: int = Field(default=10, ge=8, le=128, description="Fewest characters of a password.")
    password_classes: int = Field(
        default=1,
        ge=1,
        le=4,
        description="Of small and capital letters, digits and others, how many a password must hold.",
    )
    password_max_age_days: int = Field(
        default=0, ge=0, description="Then a password must be changed at the next sign-in; 0: never. [d]"
    )
    session_idle_minutes: int = Field(
        default=720, ge=5, le=43_200, description="How long a session lasts after the last request. [min]"
    )
    session_longest_days: int = Field(
        default=30, ge=1, le=366, description="Then a session ends however often it is used. [d]"
    )
    sign_ins_per_minute: int = Field(
        default=60, ge=5, description="Attempts of one address at passwords, codes and invitations. [1/min]"
    )
    requests_per_minute: int = Field(
        default=3000, ge=60, description="Calls of the REST API by one person, or by one token. [1/min]"
    )
    second_factor_for: tuple[str, ...] = Field(
        default=(), description="Roles whose people must set up a second factor.", examples=[["administrator"]]
    )


class FilesSettings(Section):
    """Documents that people keep."""

    most_upload_mb: int = Field(default=1000, ge=1, description="Largest file that is taken as a document. [MB]")
    allowed_types: tuple[str, ...] = Field(
        default=(
            "application/pdf",
            "image/*",
            "text/*",
            "video/mp4",
            "model/step",
            "application/xml",
            "application/zip",
            "application/gzip",
            "application/x-7z-compressed",
            "application/vnd.*",
            "application/x-ole-storage",
        ),
        description="Types that are taken, by what is in the file; * stands for anything. Never add programs.",
        json_schema_extra={"shown": "PDF, images, text, Office, archives, drawings"},
    )
    retention_days: Mapping[str, Annotated[int, Field(ge=1)]] = Field(
        default={},
        description="Classes of documents and how long after its newest version one is kept: {record = 3650}. [d]",
        json_schema_extra={"shown": "no classes: for ever"},
    )
    scan_command: tuple[str, ...] = Field(
        default=(),
        description="Virus scanner that is given a file's path as last argument and ends with 0 for clean, 1 for not.",
        examples=[["clamdscan", "--fdpass", "--no-summary"]],
    )
    scan_clamd: str | None = Field(
        default=None,
        pattern=r"^(tcp://[^/]+:\d+|unix:///.+)$",
        validate_default=True,
        description="clamd that searches files for viruses: tcp://HOST:PORT or unix:///SOCKET.",
    )
    scan_timeout_s: float = Field(default=300, gt=0, description="Longest time for one file. [s]")

    @field_validator("scan_clamd")
    @classmethod
    def _is_one_scanner(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None and info.data.get("scan_command"):
            raise ValueError("scan_command is set too; one scanner is used, so leave one of them out")
        return url


_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_GROUPS: Any = Field(
    default={},
    description='What members of a group are here, ROLE, ROLE,ROLE or ROLE@ENTERPRISE: {"cn=ops,o=x" = "viewer"}.',
    json_schema_extra={"shown": "nobody is admitted"},
)


class LdapSettings(Section):
    """Sign-in by an LDAP directory. Its own account's password comes from the environment."""

    url: str | None = Field(
        default=None, pattern=r"^ldaps?://", description="Where it is, ldaps://HOST:PORT; without it there is none."
    )
    start_tls: bool = Field(
        default=False, validate_default=True, description="Whether an ldap:// connection is encrypted by StartTLS."
    )
    ca_file: Path | None = Field(default=None, description="Its authority's certificate; the system's when left out.")
    bind_dn: str = Field(default="", description="The account that looks people up; anonymous when empty.")
    bind_password: SecretStr = Field(
        default=SecretStr(""), description="Its password.", json_schema_extra={"shown": "none"}
    )
    people_base: str = Field(default="", description="Below which entry people are.")
    person_filter: str = Field(
        default="(uid={login})", pattern=r"\{login\}", description="How a login is found, (sAMAccountName={login}) say."
    )
    key_attribute: str = Field(
        default="entryUUID", description="What names a person for ever; objectGUID in Active Directory."
    )
    name_attribute: str = Field(default="cn", description="What people are called by.")
    email_attribute: str = Field(default="mail", description="Where mail reaches them.")
    group_attribute: str = Field(default="memberOf", description="Of a person: their groups.")
    groups_base: str | None = Field(
        default=None, description="Below which entry groups are that list their members, where people do not list them."
    )
    group_filter: str = Field(
        default="(member={dn})", pattern=r"\{dn\}", description="How such groups are found; {dn} is the person."
    )
    groups: Mapping[str, str] = _GROUPS

    @field_validator("start_tls")
    @classmethod
    def _is_encrypted(cls, start_tls: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 pydantic's
        url = urlsplit(info.data.get("url") or "ldaps://")
        if url.scheme == "ldap" and not start_tls and url.hostname not in _THIS_MACHINE:
            raise ValueError("passwords would go in clear to an ldap:// address; use ldaps://, or set it to true")
        return start_tls


class OidcSettings(Section):
    """Sign-in by an OpenID provider. The client's secret comes from the environment."""

    issuer: str | None = Field(
        default=None, pattern=r"^https?://", description="Its address, as its tokens name it; without it there is none."
    )
    title: str = Field(default="OpenID", description="What the button on the sign-in page calls it.")
    client_id: str = Field(default="", description="As which program it knows this server.")
    client_secret: SecretStr = Field(
        default=SecretStr(""), description="What that program proves itself with.", json_schema_extra={"shown": "none"}
    )
    scopes: tuple[str, ...] = Field(
        default=("openid", "profile", "email"),
        description="What is asked for.",
        json_schema_extra={"shown": '`["openid", "profile", "email"]`'},
    )
    login_claim: str = Field(default="preferred_username", description="What people are called by when they sign in.")
    groups_claim: str = Field(default="groups", description="Where their groups stand.")
    groups: Mapping[str, str] = _GROUPS

    @field_validator("issuer")
    @classmethod
    def _is_encrypted(cls, issuer: str | None) -> str | None:
        if issuer is not None and issuer.startswith("http://") and urlsplit(issuer).hostname not in _THIS_MACHINE:
            raise ValueError("tokens would go in clear to an http:// address; use https://")
        return issuer


class TransferSettings(Section):
    """History from files."""

    most_upload_mb: int = Field(default=2048, ge=1, description="Largest file that is taken for import. [MB]")


class BackupSettings(Section):
    """Backups that nobody has to ask for by name (docs/backup.md)."""

    destination: str | None = Field(
        default=None,
        pattern=r"^(/|file:///|s3://).+",
        description="Where they go: an absolute folder, file:///FOLDER or s3://BUCKET/PREFIX.",
    )
    keep: int = Field(default=14, ge=1, description="So many of the newest stay there.")


class AlarmSettings(Section):
    """Judging alarms (docs/alarms.md)."""

    late_after_s: float = Field(
        default=300, ge=10, description="What is found to have happened so long ago is told in one digest. [s]"
    )
    checkpoint_every_s: float = Field(
        default=10, ge=0.1, le=3600, description="How often it is kept how far samples are judged. [s]"
    )


class NotifySettings(Section):
    """Messages to people (docs/notification.md)."""

    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+[^\s]*$",
        description="How people reach this server, https://HOST; links in messages begin with it.",
        json_schema_extra={"shown": "no links"},
    )
    keep_days: int = Field(default=365, ge=1, description="How long it is kept what became of messages. [d]")
    give_up_after_days: int = Field(
        default=7, ge=1, le=365, description="How long a message is tried that its channel does not take. [d]"
    )
    failing_minutes: int = Field(
        default=15, ge=1, description="How long a channel fails until people hear of it by other channels. [min]"
    )
    never_reach: tuple[str, ...] = Field(
        default=("169.254.0.0/16", "fe80::/10"),
        description="Networks that no channel reaches.",
        json_schema_extra={"shown": '`["169.254.0.0/16", "fe80::/10"]`'},
    )
    robot_hosts: tuple[str, ...] = Field(
        default=("qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com"),
        description="Where group robots may be, HOST or HOST:PORT; enterprises choose among these, too.",
        json_schema_extra={"shown": "WeCom's, DingTalk's and Feishu's own"},
    )
    proxy: str | None = Field(
        default=None, pattern=r"^https?://", description="Proxy through which HTTP of channels goes, http://HOST:PORT."
    )
    ca_file: Path | None = Field(
        default=None, description="Authorities (PEM) that channels believe beside the public ones."
    )

    @field_validator("never_reach")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            ip_network(network, strict=False)  # a ValueError of its own says what is wrong
        return networks


class LogSettings(Section):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severity that is written."
    )
    format: Literal["console", "json"] = Field(default="console", description="For people, or a JSON object a line.")
