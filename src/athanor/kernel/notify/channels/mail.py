"""E-mail by SMTP (RFC 5321), encrypted by TLS or STARTTLS; plain text and HTML, in UTF-8."""

import html
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import ClassVar, Literal

import aiosmtplib
from pydantic import Field, SecretStr, field_validator, model_validator

from athanor.kernel.notify.channels.outside import TIMEOUT_S
from athanor.kernel.notify.channels.port import Channel, ChannelSettings, Message, words
from athanor.kernel.notify.errors import PermanentError, TemporaryError

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\]{1,190}")
_URGENT = 2  # the lowest priority that is
_FOR_GOOD = 500


def _is_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


class MailSettings(ChannelSettings):
    """A mail server, and as whom it is spoken to."""

    host: str = Field(min_length=1, max_length=253, json_schema_extra=words("Mail server", "邮件服务器"))
    port: int = Field(default=587, ge=1, le=65535, json_schema_extra=words("Port", "端口"))
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", json_schema_extra=words("Encryption", "加密方式")
    )
    user: str = Field(default="", max_length=200, json_schema_extra=words("User", "用户名"))
    password: SecretStr = Field(default=SecretStr(""), json_schema_extra=words("Password", "密码"))
    sender: str = Field(max_length=254, json_schema_extra=words("Sender's address", "发件人地址"))
    sender_name: str = Field(default="Athanor", max_length=100, json_schema_extra=words("Sender's name", "发件人名称"))

    @field_validator("sender")
    @classmethod
    def _is_sender(cls, sender: str) -> str:
        if not _is_address(sender):
            raise ValueError("give an address such as athanor@example.com")
        return sender

    @model_validator(mode="after")
    def _keeps_the_password(self) -> "MailSettings":
        if self.security == "none" and self.user:
            raise ValueError("the password would go in clear; choose starttls or tls, or leave the user empty")
        return self


class MailChannel(Channel):
    """Sends each message to one address; its token is the Message-ID, by which mailboxes know a repetition."""

    kind = "email"
    title: ClassVar = {"en": "E-mail", "zh_CN": "电子邮件"}
    Settings = MailSettings
    address_example = "name@example.com"
    is_address_needed = True
    settings: MailSettings
    timeout_s: float = TIMEOUT_S

    @classmethod
    def knows(cls, address: str) -> bool:
        return _is_address(address)

    async def send(self, message: Message) -> None:
        if not _is_address(message.recipient):
            raise PermanentError(f"{message.recipient[:100]!r} is no mail address")
        settings = self.settings
        await self.outside.address_of(settings.host, settings.port)
        try:
            await aiosmtplib.send(
                self._mail(message),
                hostname=settings.host,
                port=settings.port,
                username=settings.user or None,
                password=settings.password.get_secret_value() or None,
                use_tls=settings.security == "tls",
                start_tls=settings.security == "starttls",
                tls_context=None if settings.security == "none" else self.outside.tls,
                local_hostname="athanor",
                timeout=self.timeout_s,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _of_response(error.recipients[0]) from error
        except aiosmtplib.SMTPDataError as error:
            raise _of_response(error) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise TemporaryError(f"{type(error).__name__}: {error}") from error

    def _mail(self, message: Message) -> EmailMessage:
        sender = self.settings.sender
        mail = EmailMessage()
        mail["Message-ID"] = f"<{message.token}@{sender.rpartition('@')[2]}>"
        mail["Date"] = format_datetime(message.at or datetime.now(UTC))
        mail["From"] = formataddr((self.settings.sender_name, sender))
        mail["To"] = message.recipient
        mail["Subject"] = message.line[:200]
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: holiday notes do not answer it
        if message.priority <= _URGENT:
            mail["Importance"] = "high"
        mail.set_content(message.text, charset="utf-8", cte="base64")
        mail.add_alternative(_html(message), subtype="html", charset="utf-8", cte="base64")
        return mail


def _of_response(error: aiosmtplib.SMTPResponseException) -> TemporaryError | PermanentError:
    said = f"{error.code} {error.message}"[:300]
    return PermanentError(said) if error.code >= _FOR_GOOD else TemporaryError(said, is_of_channel=False)


def _html(message: Message) -> str:
    link = html.escape(message.link)
    body = html.escape(message.body).replace("\n", "<br>\n")
    more = f'<p><a href="{link}">{link}</a></p>' if link else ""
    return f"<html><body><h3>{html.escape(message.line)}</h3>\n<p>{body}</p>\n{more}</body></html>"
