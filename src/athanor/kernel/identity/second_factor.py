"""The second factor: codes that a phone makes of a shared secret and the time (TOTP, RFC 6238), and recovery codes."""

import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime

import pyotp

from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.accounts import folded, row_of
from athanor.kernel.identity.audit import record
from athanor.kernel.identity.hashing import hashed
from athanor.kernel.vault import Vault

_STEP_S = 30
_RECOVERY_CODES = 10
_SECRET = re.compile(r"[A-Z2-7]{32}")  # 160 bits, as RFC 4226 recommends


class WrongCodeError(AthanorError):
    """A code that is not the one of now, or was used already."""

    code = "identity.wrong-code"

    def __init__(self) -> None:
        super().__init__(
            "This code is not the one. Type the six digits that the app shows now; each is taken once. Check the "
            "phone's clock if it goes on."
        )


class SecondFactors:
    """Sets up and checks second factors."""

    def __init__(self, database: Database, vault: Vault, now: Callable[[], datetime]) -> None:
        self._database = database
        self._vault = vault
        self._now = now

    @staticmethod
    def propose(login: str, issuer: str) -> tuple[str, str]:
        """A fresh secret, and the address that a phone reads from a QR code. Nothing is kept yet."""
        secret = pyotp.random_base32()
        return secret, SecondFactors.address_of(secret, login, issuer)

    @staticmethod
    def address_of(secret: str, login: str, issuer: str) -> str:
        """What a phone reads from the QR code of a proposed secret."""
        return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)

    @staticmethod
    def is_proposal(secret: str) -> bool:
        """Whether it is a secret as `propose` makes them."""
        return _SECRET.fullmatch(secret) is not None

    async def set_up(self, login: str, secret: str, code: str, *, actor: str, address: str = "") -> Sequence[str]:
        """Keep a proposed secret once the phone has shown that it has it: the recovery codes, told only now.

        Raises WrongCodeError, also for what is no proposed secret, and NotFoundError.
        """
        if not self.is_proposal(secret):
            raise WrongCodeError
        step = self._step_of(secret, _bare(code), after=0)
        codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(_RECOVERY_CODES)]
        async with self._database.session() as session:
            row = await row_of(session, folded(login), held=True)
            row.second_factor, row.second_factor_step = self._vault.encrypt(secret), step
            row.recovery_hashes = [hashed(one) for one in codes]
            record(session, actor, "identity.second-factor-set-up", row.login, address=address, at=self._now())
        return codes

    async def check(self, login: str, code: str, *, address: str = "") -> None:
        """Take a code of the phone, or a recovery code; each once. Raises WrongCodeError, VaultLockedError."""
        code = _bare(code)
        async with self._database.session() as session:
            row = await row_of(session, folded(login), held=True)  # two at once cannot both take one code
            if row.second_factor is None:
                raise WrongCodeError
            given = hashed(code)
            left = [known for known in row.recovery_hashes if not hmac.compare_digest(known, given)]
            if len(left) < len(row.recovery_hashes):
                row.recovery_hashes = left
                detail = {"left": len(left)}
                record(session, row.login, "identity.recovery-code-used", row.login, address=address, detail=detail,
                       at=self._now())  # fmt: skip
                return
            secret = self._vault.decrypt(row.second_factor, what=f"The second factor of {row.login}")
            row.second_factor_step = self._step_of(secret, code, after=row.second_factor_step)

    async def remove(self, login: str, *, actor: str, address: str = "") -> None:
        """Sign-in asks for the password alone again. Raises NotFoundError."""
        async with self._database.session() as session:
            row = await row_of(session, folded(login), held=True)
            row.second_factor, row.second_factor_step, row.recovery_hashes = None, 0, []
            record(session, actor, "identity.second-factor-removed", row.login, address=address, at=self._now())

    def _step_of(self, secret: str, code: str, *, after: int) -> int:
        """The time step of a code: this one's or a neighbour's, as clocks differ, and after the newest one taken."""
        now = int(self._now().timestamp()) // _STEP_S
        totp = pyotp.TOTP(secret)
        for step in (now, now - 1, now + 1):
            if step > after and hmac.compare_digest(totp.at(step * _STEP_S), code.encode("ascii", "replace").decode()):
                return step
        raise WrongCodeError


def _bare(code: str) -> str:
    """A code as it is compared: people type spaces and capital letters."""
    return "".join(code.split()).lower()
