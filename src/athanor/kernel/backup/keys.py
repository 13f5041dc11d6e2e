"""The server's keys as they go into a backup: encrypted under a passphrase (scrypt, then Fernet)."""

import base64
import os
import secrets
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from athanor.kernel.backup.errors import NoPassphraseError, WrongPassphraseError

PASSPHRASE = "ATHANOR_BACKUP_PASSPHRASE"  # noqa: S105 the name of an environment variable
KEY_FILES = ("vault.key", "instance.key")

_COST, _BLOCK, _PARALLEL = 2**15, 8, 1  # of scrypt: 32 MB and about 0.1 s for each try
_MOST_COST = 2**20


def sealed(data_dir: Path, passphrase: str) -> bytes:
    """The keys of a data folder, as only the passphrase opens them."""
    keys = {name: base64.b64encode(body).decode() for name, body in in_clear(data_dir).items()}
    salt = secrets.token_bytes(16)
    token = _fernet(passphrase, salt, _COST).encrypt(orjson.dumps(keys))
    return orjson.dumps({"kdf": "scrypt", "n": _COST, "salt": salt.hex(), "token": token.decode()})


def opened(body: bytes, passphrase: str, backup: str) -> dict[str, bytes]:
    """The keys by file name. Raises WrongPassphraseError."""
    try:
        said = orjson.loads(body)
        cost = min(int(said["n"]), _MOST_COST)
        keys = _fernet(passphrase, bytes.fromhex(said["salt"]), cost).decrypt(said["token"])
        return {name: base64.b64decode(key) for name, key in orjson.loads(keys).items() if name in KEY_FILES}
    except (InvalidToken, KeyError, ValueError) as error:
        raise WrongPassphraseError(backup) from error


def in_clear(data_dir: Path) -> dict[str, bytes]:
    """The keys of a data folder by file name; those that lie there."""
    return {name: (data_dir / name).read_bytes() for name in KEY_FILES if (data_dir / name).exists()}


def from_environment(data_dir: Path) -> bytes:
    """The keys, sealed with the passphrase that the environment names. Raises NoPassphraseError."""
    passphrase = os.environ.get(PASSPHRASE)
    if not passphrase:
        raise NoPassphraseError
    return sealed(data_dir, passphrase)


def _fernet(passphrase: str, salt: bytes, cost: int) -> Fernet:
    key = Scrypt(salt=salt, length=32, n=cost, r=_BLOCK, p=_PARALLEL).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))
