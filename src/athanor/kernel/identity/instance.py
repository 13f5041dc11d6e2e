"""Which server this is: a secret beside its data, which it proves to have without telling it."""

import hashlib
import hmac
import secrets
from pathlib import Path

from athanor.kernel.durable import kept_once

_FILE = "instance.key"
_BYTES = 32


class Instance:
    """The server that owns a data folder."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def at(cls, data_dir: Path) -> "Instance":
        """The one of this folder; its secret is made at the first call, for its owner's eyes only."""
        return cls(kept_once(data_dir / _FILE, secrets.token_bytes(_BYTES)))

    @classmethod
    def known(cls, data_dir: Path) -> "Instance | None":
        """The one of this folder; None where no server has started on it yet."""
        try:
            return cls((data_dir / _FILE).read_bytes())
        except FileNotFoundError:
            return None

    def proof(self, challenge: str) -> str:
        """What only who has the secret can answer to a challenge that is new each time."""
        return hmac.new(self._secret, challenge.encode(), hashlib.sha256).hexdigest()

    def is_proof(self, challenge: str, proof: str) -> bool:
        """Whether this is the answer to the challenge."""
        return hmac.compare_digest(self.proof(challenge).encode(), proof.encode())
