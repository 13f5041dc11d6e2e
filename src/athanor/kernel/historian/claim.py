"""A folder that one process at a time may write."""

import fcntl
import os
from pathlib import Path


class FolderClaim:
    """Held from construction until `release`, or until the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """Make the folder if need be, and claim it. Raises OSError where another process has."""
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._handle)
            raise

    def release(self) -> None:
        """Let others have it."""
        os.close(self._handle)
