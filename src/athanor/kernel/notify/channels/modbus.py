"""A coil or register of a Modbus TCP device: a siren, a light, a voice column, on while something stands."""

from typing import ClassVar, Literal

from pydantic import Field
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse

from athanor.kernel.notify.channels.port import ChannelSettings, Output, words
from athanor.kernel.notify.errors import TemporaryError

_TIMEOUT_S = 5.0


class ModbusSettings(ChannelSettings):
    """What is written where."""

    host: str = Field(min_length=1, max_length=253, json_schema_extra=words("Device", "设备地址"))
    port: int = Field(default=502, ge=1, le=65535, json_schema_extra=words("Port", "端口"))
    unit_id: int = Field(default=1, ge=0, le=255, json_schema_extra=words("Unit", "站号"))
    table: Literal["coil", "register"] = Field(default="coil", json_schema_extra=words("Written to", "写入对象"))
    address: int = Field(ge=0, le=65535, json_schema_extra=words("Address, from 0", "地址（从 0 起）"))
    on: int = Field(default=1, ge=0, le=65535, json_schema_extra=words("Value for on", "接通值"))
    off: int = Field(default=0, ge=0, le=65535, json_schema_extra=words("Value for off", "断开值"))
    longest_s: int = Field(
        default=0,
        ge=0,
        le=86_400,
        json_schema_extra=words("On for at most, 0: until it is over [s]", "最长接通时间，0 为直至结束 [s]"),
    )


class ModbusChannel(Output):
    """On with the first message, off once all that it tells of is acknowledged or over, or after its longest time."""

    kind = "modbus"
    title: ClassVar = {"en": "Modbus output (siren, light)", "zh_CN": "Modbus 输出（声光报警）"}
    Settings = ModbusSettings
    settings: ModbusSettings

    def lasts_s(self) -> float | None:
        return float(self.settings.longest_s) or None

    async def switch(self, *, is_on: bool) -> None:
        settings = self.settings
        address = await self.outside.address_of(settings.host, settings.port)
        client = AsyncModbusTcpClient(address, port=settings.port, timeout=_TIMEOUT_S, retries=0, reconnect_delay=0)
        try:
            if not await client.connect():
                raise TemporaryError(f"{settings.host}:{settings.port} refuses the connection or does not answer")
            value = settings.on if is_on else settings.off
            if settings.table == "coil":
                answer = await client.write_coil(settings.address, bool(value), device_id=settings.unit_id)
            else:
                answer = await client.write_register(settings.address, value, device_id=settings.unit_id)
        except (ModbusException, OSError) as error:
            raise TemporaryError(f"{type(error).__name__}: {error}") from error
        finally:
            client.close()
        if isinstance(answer, ExceptionResponse) or answer.isError():
            raise TemporaryError(f"the device refused {settings.table} {settings.address}: {answer}")
