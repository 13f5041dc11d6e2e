"""An MQTT broker inside the demo, for machines that have none; and what all its clients need."""

import asyncio
from urllib.parse import urlsplit

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig


class EmbeddedBroker:
    """Listens on one address; anyone who reaches it may publish and subscribe."""

    def __init__(self, host: str, port: int) -> None:
        self.url = f"mqtt://{host}:{port}"
        self._bind = f"{host}:{port}"
        self._broker: Broker | None = None

    async def start(self) -> None:
        """Listen. Raises amqtt's BrokerError where the port is taken."""
        config = BrokerConfig(
            listeners={"default": ListenerConfig(bind=self._bind)},
            plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        )
        self._broker = Broker(config)
        await self._broker.start()

    async def stop(self) -> None:
        """End all sessions."""
        if self._broker is not None:
            await self._broker.shutdown()


def host_and_port(url: str) -> tuple[str, int]:
    """Of an mqtt:// URL; 1883 where it names no port."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 1883


async def end(task: asyncio.Task[None]) -> None:
    """Cancel a client's task until it is over: in Python 3.11 `wait_for`, which the client uses, may swallow one."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
