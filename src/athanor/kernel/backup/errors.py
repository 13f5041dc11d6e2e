"""What can go wrong with backups, as an operator reads it."""

from collections.abc import Sequence

from athanor.kernel.errors import AthanorError

_SHOWN = 20


class NoPassphraseError(AthanorError):
    """The server's keys would lie in the backup for everybody to read."""

    code = "backup.no-passphrase"

    def __init__(self) -> None:
        super().__init__(
            "The server's keys go into a backup only encrypted. Set a passphrase in ATHANOR_BACKUP_PASSPHRASE (or "
            "answer the question of `athanor backup`), or say --with-keys-in-clear for a place that nobody else reads."
        )


class WrongPassphraseError(AthanorError):
    """The keys in a backup were encrypted with another passphrase, or with one that was not given."""

    code = "backup.wrong-passphrase"

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The keys in backup {backup} do not open with this passphrase. Give the one that it was made with in "
            "ATHANOR_BACKUP_PASSPHRASE, or restore with --without-keys: then stored secrets, such as second factors, "
            "have to be entered anew."
        )


class NoBackupError(AthanorError):
    """There is no such backup, or none at all."""

    code = "backup.none"

    def __init__(self, place: str, name: str | None = None) -> None:
        which = "no backup" if name is None else f"no backup {name!r}"
        super().__init__(
            f"There is {which} in {place}. `athanor backup list` says what is there; one that was interrupted is none."
        )


class DestinationError(AthanorError):
    """A backup cannot be written where it should be."""

    code = "backup.destination"

    def __init__(self, place: str, reason: object) -> None:
        super().__init__(
            f"No backup was made: {place} does not take it ({reason}). Make room, or see that it can be reached and "
            "written; what is there of earlier backups is whole."
        )


class BackupDamagedError(AthanorError):
    """Files of a backup are not what was written, or are gone."""

    code = "backup.damaged"

    def __init__(self, backup: str, faults: Sequence[str]) -> None:
        self.faults = list(faults)
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        super().__init__(
            f"Backup {backup} is damaged: {'; '.join(faults[:_SHOWN])}{more}. Nothing was restored. Take another "
            "backup, or bring back what is whole with --what-is-whole."
        )


class BackupNewerError(AthanorError):
    """A later version of Athanor made this backup."""

    code = "backup.newer"

    def __init__(self, backup: str, version: str) -> None:
        super().__init__(
            f"Backup {backup} was made by Athanor {version}, which keeps things in a way that this version does not "
            "know. Install that version, or a later one, and restore with it."
        )


class NotEmptyError(AthanorError):
    """What should be restored would fall on what is there."""

    code = "backup.not-empty"

    def __init__(self, place: str) -> None:
        super().__init__(f"{place} is not empty, and a backup overwrites nothing. Restore into a new place.")


class DatabaseCopyError(AthanorError):
    """The database could not be copied into a backup, or from one."""

    code = "backup.database"

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"The database could not be copied: {reason}. For PostgreSQL, pg_dump and pg_restore of the server's major "
            "version must be installed on this machine (Debian: postgresql-client-17 for PostgreSQL 17)."
        )


class NotHeldStillError(AthanorError):
    """Files went away, again and again, while they were copied."""

    code = "backup.not-held-still"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"No backup was made: {name} and others were replaced while they were copied, several times over. Try "
            "again when the server is less busy, or with a faster way to the destination."
        )
