"""Photos of entries: told by their first bytes, kept among the files under a name of ours."""

import re
from uuid import uuid4

from athanor.kernel.errors import NotFoundError
from athanor.kernel.files.port import Files
from athanor.kernel.forms.errors import BadPhotoError

MOST_PHOTO_BYTES = 10_000_000

_ID = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


def ending_of(content: bytes) -> str:
    """`jpg`, `png` or `webp`, by what the file begins with. Raises BadPhotoError for anything else."""
    if len(content) > MOST_PHOTO_BYTES:
        raise BadPhotoError(f"it has {len(content) / 1e6:.1f} MB")
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    raise BadPhotoError("it is no picture of a kind that is shown here")


async def keep_photo(files: Files, entry_id: int, content: bytes) -> str:
    """Keep a picture: its id. Raises BadPhotoError, and what `Files.put` raises."""
    photo = f"{uuid4().hex}.{ending_of(content)}"
    await files.put(_name(entry_id, photo), content)
    return photo


async def read_photo(files: Files, entry_id: int, photo: str) -> tuple[bytes, str]:
    """A picture and its media type. Raises NotFoundError, FileMissingError."""
    if not _ID.fullmatch(photo):
        raise NotFoundError("photo", photo)
    return await files.get(_name(entry_id, photo)), _TYPES[photo.rpartition(".")[2]]


async def delete_photo(files: Files, entry_id: int, photo: str) -> None:
    """Delete a picture that nothing names any more."""
    if _ID.fullmatch(photo):
        await files.delete(_name(entry_id, photo))


def _name(entry_id: int, photo: str) -> str:
    return f"forms/{entry_id}/{photo}"
