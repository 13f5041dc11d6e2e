"""How secrets of ours are kept: only as a hash, which is looked up."""

import hashlib
import secrets


def fresh_secret() -> str:
    """A new one, of 256 random bits: nobody guesses it, so a plain hash is enough."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
