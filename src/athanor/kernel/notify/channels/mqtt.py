"""A broker (MQTT 3.1.1): each message as JSON on a topic, or a siren and the like that is switched by two payloads."""

import ssl
from typing import ClassVar

import aiomqtt
import orjson
from pydantic import Field, SecretStr, field_validator, model_validator

from athanor.kernel.notify.channels.outside import TIMEOUT_S
from athanor.kernel.notify.channels.port import ChannelSettings, Message, Output, words
from athanor.kernel.notify.channels.webhook import as_json
from athanor.kernel.notify.errors import TemporaryError


class MqttSettings(ChannelSettings):
    """A broker, and what is published there."""

    host: str = Field(min_length=1, max_length=253, json_schema_extra=words("Broker", "MQTT 代理"))
    port: int = Field(default=8883, ge=1, le=65535, json_schema_extra=words("Port", "端口"))
    is_encrypted: bool = Field(default=True, json_schema_extra=words("Encrypted (TLS)", "加密（TLS）"))
    user: str = Field(default="", max_length=200, json_schema_extra=words("User", "用户名"))
    password: SecretStr = Field(default=SecretStr(""), json_schema_extra=words("Password", "密码"))
    topic: str = Field(min_length=1, max_length=500, json_schema_extra=words("Topic", "主题"))
    qos: int = Field(default=1, ge=0, le=2, json_schema_extra=words("Quality of service (QoS)", "服务质量（QoS）"))
    is_retained: bool = Field(default=False, json_schema_extra=words("Retained", "保留消息"))
    on: str = Field(
        default="",
        max_length=1000,
        json_schema_extra=words(
            "Payload that switches on; empty: the message as JSON", "接通载荷；留空则发送 JSON 消息"
        ),
    )
    off: str = Field(default="", max_length=1000, json_schema_extra=words("Payload that switches off", "断开载荷"))
    longest_s: int = Field(
        default=0,
        ge=0,
        le=86_400,
        json_schema_extra=words("On for at most, 0: until it is over [s]", "最长接通时间，0 为直至结束 [s]"),
    )

    @field_validator("topic")
    @classmethod
    def _is_topic(cls, topic: str) -> str:
        if any(sign in topic for sign in "+#\0"):
            raise ValueError("a topic to publish on has no + and no #")
        return topic

    @model_validator(mode="after")
    def _comes_as_a_pair(self) -> "MqttSettings":
        if bool(self.on) != bool(self.off):
            raise ValueError("give both payloads, or neither")
        return self


class MqttChannel(Output):
    """Publishes; the broker has taken it once it acknowledges, with quality of service 1 or 2."""

    kind = "mqtt"
    title: ClassVar = {"en": "MQTT", "zh_CN": "MQTT 发布"}
    Settings = MqttSettings
    settings: MqttSettings

    @property
    def _switches(self) -> bool:
        return bool(self.settings.on)

    def lasts_s(self) -> float | None:
        if not self._switches:
            return 0.0  # a message that is published does not stand
        return float(self.settings.longest_s) or None

    async def send(self, message: Message) -> None:
        await self._publish(self.settings.on.encode() if self._switches else orjson.dumps(as_json(message)))

    async def switch(self, *, is_on: bool) -> None:
        if self._switches:
            await self._publish((self.settings.on if is_on else self.settings.off).encode())

    async def _publish(self, payload: bytes) -> None:
        settings = self.settings
        address = await self.outside.address_of(settings.host, settings.port)
        client = aiomqtt.Client(
            settings.host if settings.is_encrypted else address,
            settings.port,
            username=settings.user or None,
            password=settings.password.get_secret_value() or None,
            tls_context=self._tls() if settings.is_encrypted else None,
            timeout=TIMEOUT_S,
        )
        try:
            async with client:
                await client.publish(settings.topic, payload, qos=settings.qos, retain=settings.is_retained)
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise TemporaryError(f"{type(error).__name__}: {error}") from error

    def _tls(self) -> ssl.SSLContext:
        return self.outside.tls
