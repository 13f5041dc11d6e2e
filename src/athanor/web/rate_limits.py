"""How often one address may try to sign in, and one person or program may ask; counted in memory."""

import math
import time
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address

from fastapi import HTTPException, Request
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from athanor.kernel.identity.user import User

_HOUSEHOLD_BITS = 64  # of an IPv6 address: whoever has one has all that begin so


class TooOftenError(Exception):
    """One address tried too often; how long until it may again."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(retry_after_s)
        self.retry_after_s = retry_after_s


class RateLimits:
    """Counts by address and by person.

    Parameters
    ----------
    sign_ins_per_minute
        Attempts of one address at passwords, codes and invitations.
    requests_per_minute
        Calls of the REST API by one person or one token.
    """

    def __init__(self, sign_ins_per_minute: int = 60, requests_per_minute: int = 3000) -> None:
        self._sign_ins = RateLimitItemPerMinute(sign_ins_per_minute)
        self._requests = RateLimitItemPerMinute(requests_per_minute)
        self._counting = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count_sign_in(self, request: Request) -> None:
        """Count an attempt of this address. Raises TooOftenError."""
        await self._count(self._sign_ins, "sign-in", address_key(request.client.host if request.client else ""))

    async def count_request(self, user: User, program: str = "") -> None:
        """Count a call by a person, or by one of their programs. Answers 429."""
        try:
            await self._count(self._requests, "rest", str(user.id), program)
        except TooOftenError as error:
            raise HTTPException(
                HTTPStatus.TOO_MANY_REQUESTS,
                {
                    "code": "web.too-many-requests",
                    "message": f"More than {self._requests.amount} requests in a minute. Wait {error.retry_after_s} s, "
                    "ask for more at once, or let an administrator raise security.requests_per_minute.",
                },
                {"Retry-After": str(error.retry_after_s)},
            ) from error

    async def _count(self, item: RateLimitItemPerMinute, *key: str) -> None:
        if await self._counting.hit(item, *key):
            return
        stats = await self._counting.get_window_stats(item, *key)
        raise TooOftenError(max(1, math.ceil(stats.reset_time - time.time())))


def address_key(address: str) -> str:
    """What an address is counted under: IPv6 by its network, of which each household has one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> _HOUSEHOLD_BITS << _HOUSEHOLD_BITS)}/{_HOUSEHOLD_BITS}"
    return str(parsed)
