"""SMS by a gateway's HTTP interface: a template for the request, and what its answer is when it has taken the message.

Placeholders: `{to}`, `{text}`, `{title}`, `{body}`, `{token}`, `{time}` (ISO 8601) and `{secret.NAME}`. They are filled
in once, for the place where they stand: in a JSON body as strings of it, in an address and a form quoted, in a header
as one line. What is filled in is never looked through for placeholders again.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import orjson
from pydantic import Field, SecretStr, model_validator

from athanor.kernel.notify.channels.outside import Answer
from athanor.kernel.notify.channels.port import Channel, ChannelSettings, Message, words
from athanor.kernel.notify.errors import PermanentError, TemporaryError

_PHONE = re.compile(r"\+?\d{5,15}")
_PLACEHOLDER = re.compile(r"\{([a-z]+(?:\.[A-Za-z0-9_-]+)?)\}")
_SECRET = re.compile(r"auth|key|token|secret|password|pwd", re.IGNORECASE)
_SECRET_IN_ADDRESS = re.compile(
    r"[?&][^=&]*(?:auth|key|token|secret|password|pwd)[^=&]*=(?!\{(?:secret\.|token))", re.IGNORECASE
)
_KNOWN = frozenset({"to", "text", "title", "body", "token", "time"})
_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded", "text": "text/plain; charset=utf-8"}


class SmsSettings(ChannelSettings):
    """A gateway, as its manual describes it."""

    method: Literal["POST", "PUT", "GET"] = Field(default="POST", json_schema_extra=words("Method", "请求方法"))
    url: str = Field(
        pattern=r"^https?://[^/\s{}]+", max_length=2000, json_schema_extra=words("Address of the gateway", "网关地址")
    )
    headers: dict[str, str] = Field(default={}, json_schema_extra=words("Headers", "请求头"))
    body_type: Literal["json", "form", "text", "none"] = Field(
        default="json", json_schema_extra=words("Form of the body", "请求体格式")
    )
    body: str = Field(
        default='{"mobile": "{to}", "content": "{text}"}', max_length=10_000, json_schema_extra=words("Body", "请求体")
    )
    secrets: dict[str, SecretStr] = Field(
        default={}, json_schema_extra=words("Secrets, for {secret.NAME}", "密钥，用于 {secret.NAME}")
    )
    success: str = Field(
        default="",
        max_length=500,
        json_schema_extra=words(
            "What the answer holds when it is taken (regular expression)", "成功应答须匹配（正则）"
        ),
    )
    refused: str = Field(
        default="",
        max_length=500,
        json_schema_extra=words("What it holds when refused for good (regular expression)", "永久拒绝须匹配（正则）"),
    )
    longest: int = Field(
        default=300, ge=20, le=2000, json_schema_extra=words("Most characters of a text", "正文最多字数")
    )

    @model_validator(mode="after")
    def _is_a_template(self) -> "SmsSettings":
        known = _KNOWN | {f"secret.{name}" for name in self.secrets}
        for text in (self.url, self.body, *self.headers.values()):
            for name in _PLACEHOLDER.findall(text):
                if name not in known:
                    raise ValueError(f"{{{name}}} is no placeholder; there are {', '.join(sorted(known))}")
        for pattern in (self.success, self.refused):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"a regular expression is none: {error}") from error
        if self.body_type == "json":
            try:
                orjson.loads(self.body)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"the body is no JSON: {error}") from error
        return self

    @model_validator(mode="after")
    def _keeps_secrets(self) -> "SmsSettings":
        for name, value in self.headers.items():
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or "\n" in value or "\r" in value:
                raise ValueError(f"{name[:50]!r} is no header")
        for name, value in self.headers.items():
            if _SECRET.search(name) and "{secret." not in value:
                raise ValueError(f"{name} is a secret: put it under secrets, and here {{secret.NAME}}")
        if _SECRET_IN_ADDRESS.search(self.url):
            raise ValueError("a secret is in the address: put it under secrets, and there {secret.NAME}")
        return self


class SmsChannel(Channel):
    """One message to one phone."""

    kind = "sms"
    title: ClassVar = {"en": "SMS gateway", "zh_CN": "短信网关"}
    Settings = SmsSettings
    address_example = "13800000000"
    is_address_needed = True
    settings: SmsSettings

    @classmethod
    def knows(cls, address: str) -> bool:
        return _PHONE.fullmatch(address) is not None

    async def send(self, message: Message) -> None:
        if not self.knows(message.recipient):
            raise PermanentError(f"{message.recipient[:50]!r} is no phone number")
        settings, values = self.settings, self._values(message)
        headers = {name: _filled(value, values, _line) for name, value in settings.headers.items()}
        if settings.body_type != "none":
            headers.setdefault("Content-Type", _TYPES[settings.body_type])
        url = _filled(settings.url, values, lambda text: quote(text, safe=""))
        answer = await self.outside.request(settings.method, url, content=self._body(values), headers=headers)
        self._check(answer)

    def _values(self, message: Message) -> Mapping[str, str]:
        text = message.text
        if len(text) > self.settings.longest:
            text = text[: self.settings.longest - 1] + "…"
        secrets = {f"secret.{name}": value.get_secret_value() for name, value in self.settings.secrets.items()}
        at = (message.at or datetime.now(UTC)).isoformat()
        return {
            "to": message.recipient, "text": text, "title": message.line, "body": message.body, "token": message.token,
            "time": at, **secrets,
        }  # fmt: skip

    def _body(self, values: Mapping[str, str]) -> bytes | None:
        match self.settings.body_type:
            case "none":
                return None
            case "json":
                return orjson.dumps(_within(orjson.loads(self.settings.body), values))
            case "form":
                return _filled(self.settings.body, values, lambda text: quote(text, safe="")).encode()
        return _filled(self.settings.body, values, lambda text: text).encode()

    def _check(self, answer: Answer) -> None:
        if self.settings.refused and re.search(self.settings.refused, answer.text):
            raise PermanentError(f"the gateway answered {answer.text[:200]}")
        answer.checked()
        if self.settings.success and not re.search(self.settings.success, answer.text):
            raise TemporaryError(f"the gateway answered {answer.text[:200]}", is_of_channel=False)


def _filled(template: str, values: Mapping[str, str], quoted: Callable[[str], str]) -> str:
    return _PLACEHOLDER.sub(lambda found: quoted(values[found.group(1)]), template)


def _line(text: str) -> str:
    """As it may stand in a header: one line of ASCII, the rest as in an address."""
    return quote(" ".join(text.split()), safe=" !\"#$%&'()*+,/:;<=>?@[\\]^`{|}~")


def _within(part: Any, values: Mapping[str, str]) -> Any:
    """A JSON body, filled in its strings."""
    if isinstance(part, str):
        return _filled(part, values, lambda text: text)
    if isinstance(part, list):
        return [_within(one, values) for one in part]
    if isinstance(part, dict):
        return {key: _within(value, values) for key, value in part.items()}
    return part
