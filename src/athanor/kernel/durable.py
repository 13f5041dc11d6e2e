"""What a power cut cannot take back: flushing files and folders, files that are replaced, or made once."""

import contextlib
import os
import secrets
from pathlib import Path


def flush(place: Path) -> None:
    """Bring a file to the disk, or a folder's entries: new, renamed and removed files."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(place: Path, content: bytes) -> None:
    """Let a file hold this, whole: whoever reads it, also after a power cut, finds what was there or what is now.

    For one writer at a time. Raises OSError; then it holds what it held.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(place)
    flush(place.parent)


def kept_once(place: Path, content: bytes) -> bytes:
    """What a file holds that is made with this content where it is not there yet, for its owner's eyes only.

    Of processes that make it at once one is first, and all of them get what that one wrote.
    """
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, place)
        fresh.unlink()
        flush(place.parent)
    return place.read_bytes()
