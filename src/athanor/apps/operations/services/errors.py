"""What Operations refuses, or finds broken."""

from collections.abc import Sequence

from athanor.kernel.errors import AthanorError


class AuditTrailBrokenError(AthanorError):
    """The audit trail is not as it was written."""

    code = "operations.audit-broken"

    def __init__(self, fault: str) -> None:
        super().__init__(
            f"The audit trail is not as it was written: {fault}. Somebody changed the database from outside. Keep a "
            "copy of it as it is, compare it with a backup, and see docs/jobs.md."
        )


class BackupFailsError(AthanorError):
    """A backup that was tried did not bring everything back."""

    code = "operations.backup-fails"

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        super().__init__(
            f"Backup {name} does not bring everything back: {'; '.join(faults[:5])}. Make a new one now, and try it; "
            "`athanor backup verify` names what is damaged."
        )


class BadArgumentsTextError(AthanorError):
    """Arguments of a job that are no JSON object."""

    code = "operations.bad-arguments"

    def __init__(self, reason: object) -> None:
        super().__init__(f'The arguments are no JSON object ({reason}). Write them as {{"days": 90}}, or nothing.')
