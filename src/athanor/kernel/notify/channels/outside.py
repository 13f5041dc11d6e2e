"""How channels reach other machines: which addresses they may, and HTTP without surprises.

A name is looked up once, its address checked, and that address connected to: a name that means another address a moment
later reaches nothing it should not. Redirects are not followed, and an answer is read up to 64 KB.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx

from athanor.kernel.notify.errors import PermanentError, TemporaryError

NEVER = ("169.254.0.0/16", "fe80::/10")  # where clouds keep their machines' credentials
ROBOT_HOSTS = ("qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com")
TIMEOUT_S = 15.0
_MOST_BYTES = 65_536
_MISCONFIGURED = {401, 402, 403, 404, 405, 407}  # whoever set the channel up can put it right: nothing is given up
_LATER = {408, 409, 423, 425, 429}


@dataclass(frozen=True, slots=True)
class Limits:
    """What channels may reach.

    Parameters
    ----------
    never
        Networks that no channel reaches.
    robot_hosts
        Where group robots may be; those of enterprises, too.
    proxy
        Through which HTTP goes; it then looks names up, so `never` is its business.
    ca_file
        Certificates of the plant's own authority, believed beside the public ones.
    """

    never: tuple[str, ...] = NEVER
    robot_hosts: tuple[str, ...] = ROBOT_HOSTS
    proxy: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server said."""

    status: int
    text: str

    def checked(self) -> "Answer":
        """Itself where the server took the message. Raises TemporaryError, PermanentError for what else it said."""
        if 200 <= self.status < 300:
            return self
        said = f"the server answered {self.status} {self.text[:200].strip()}".strip()
        if self.status >= 500 or self.status < 400 or self.status in _MISCONFIGURED or self.status == 429:
            raise TemporaryError(said)
        if self.status in _LATER:
            raise TemporaryError(said, is_of_channel=False)
        raise PermanentError(said)


class Outside:
    """The way out. Whoever made it closes it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._never = [ip_network(one, strict=False) for one in self.limits.never]
        self._client: httpx.AsyncClient | None = None

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Whom is believed, for others than HTTP, which asks for its own protocol by its context."""
        return self._believing()

    @property
    def _http(self) -> httpx.AsyncClient:
        if self._client is None:  # to read the public certificates takes a moment
            self._client = httpx.AsyncClient(
                verify=self._believing(),
                proxy=self.limits.proxy,
                timeout=TIMEOUT_S,
                follow_redirects=False,
                trust_env=False,
                headers={"User-Agent": "Athanor"},
            )
        return self._client

    def _believing(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context()
        if self.limits.ca_file is not None:
            context.load_verify_locations(cafile=self.limits.ca_file)
        return context

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()

    async def address_of(self, host: str, port: int) -> str:
        """The address of a machine that may be reached. Raises TemporaryError, PermanentError."""
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise TemporaryError(f"the name {host!r} is not known ({error})") from error
        address = str(found[0][4][0])
        if self.is_barred(address):
            raise TemporaryError(f"{host} is {address}, which channels may not reach (notify.never_reach)")
        return address

    def is_barred(self, address: str) -> bool:
        """Whether no channel reaches this address."""
        parsed: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._never if network.version == parsed.version)

    async def request(
        self, method: str, url: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask an HTTP server. Raises TemporaryError where none answers."""
        try:
            target = httpx.URL(url)
            extra: dict[str, Any] = {}
            sent = {str(name): str(value) for name, value in (headers or {}).items()}
            if self.limits.proxy is None:
                port = target.port or (443 if target.scheme == "https" else 80)
                address = await self.address_of(target.host, port)
                sent["Host"] = target.netloc.decode("ascii")
                extra = {"sni_hostname": target.raw_host.decode("ascii")}
                target = target.copy_with(host=address)
            async with self._http.stream(method, target, content=content, headers=sent, extensions=extra) as response:
                return Answer(response.status_code, await _text(response))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise TemporaryError(f"its address is none ({error})") from error
        except httpx.TimeoutException as error:
            raise TemporaryError(f"no answer within {TIMEOUT_S:.0f} s") from error
        except httpx.HTTPError as error:
            raise TemporaryError(f"{type(error).__name__}: {error}") from error


async def _text(response: httpx.Response) -> str:
    taken = bytearray()
    async for piece in response.aiter_bytes():
        taken += piece
        if len(taken) >= _MOST_BYTES:
            break
    return bytes(taken[:_MOST_BYTES]).decode("utf-8", "replace")
