"""What both MQTT protocols share: a connection to a broker, and its errors in our words."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from athanor.edge.config import MqttBroker
from athanor.edge.source import SourceRefusedError, SourceUnreachableError

_NOT_LET_IN = (4, 5, 134, 135)  # return codes of CONNACK: bad user or password, not authorised (3.1.1 and 5)


@asynccontextmanager
async def broker(config: MqttBroker, will: aiomqtt.Will | None = None) -> AsyncIterator[aiomqtt.Client]:
    """A connection with a clean session.

    Raises SourceUnreachableError when it cannot be made or breaks, SourceRefusedError when the broker refuses us.
    """
    client = aiomqtt.Client(
        config.host,
        config.port,
        username=config.user,
        password=os.environ.get(config.password_env) if config.password_env else None,
        will=will,
        clean_session=True,
        keepalive=15,
        tls_params=aiomqtt.TLSParameters() if config.is_encrypted else None,
    )
    try:
        async with client:
            yield client
    except MqttConnectError as error:
        if _return_code(error) in _NOT_LET_IN:
            raise SourceRefusedError(config.address, error) from error
        raise SourceUnreachableError(config.address, error) from error
    except (aiomqtt.MqttError, OSError) as error:
        raise SourceUnreachableError(config.address, error) from error


def _return_code(error: MqttConnectError) -> int | None:
    """aiomqtt gives a plain number, or paho's object around one."""
    return error.rc if isinstance(error.rc, int) or error.rc is None else int(error.rc.value)
