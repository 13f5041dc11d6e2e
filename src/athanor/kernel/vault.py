"""Secrets that must be known again, encrypted where they lie: with a key that is not in the database."""

import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from athanor.kernel.durable import kept_once
from athanor.kernel.errors import AthanorError

KEY_VARIABLE = "ATHANOR_VAULT_KEY"  # its text instead of the file, where a key store hands it to the process
_FILE = "vault.key"


class VaultLockedError(AthanorError):
    """A secret cannot be decrypted: it was encrypted with another key, or is damaged."""

    code = "vault.locked"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} cannot be decrypted: it was kept with another key. Put the vault.key of the server that kept it "
            f"back into data_dir (or its text into {KEY_VARIABLE}), or enter it anew."
        )


class Vault:
    """Encrypts and decrypts small secrets (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        """Raises VaultLockedError for what is no key."""
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise VaultLockedError("The vault's key is no key and what it keeps") from error

    @classmethod
    def at(cls, data_dir: Path) -> "Vault":
        """The one of this folder; its key is made at the first call, for its owner's eyes only."""
        given = os.environ.get(KEY_VARIABLE)
        if given:
            return cls(given.encode())
        return cls(kept_once(data_dir / _FILE, Fernet.generate_key()).strip())

    def encrypt(self, secret: str) -> str:
        """The secret as text that only this key opens."""
        return self._fernet.encrypt(secret.encode()).decode()

    def decrypt(self, kept: str, *, what: str = "A secret") -> str:
        """Raises VaultLockedError; `what` it says cannot be decrypted."""
        try:
            return self._fernet.decrypt(kept.encode()).decode()
        except InvalidToken as error:
            raise VaultLockedError(what) from error
