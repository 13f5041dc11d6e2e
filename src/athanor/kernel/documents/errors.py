"""What can go wrong with documents."""

from athanor.kernel.documents.contents import PROGRAM
from athanor.kernel.errors import AthanorError


class DocumentTooLargeError(AthanorError):
    """A file is larger than documents may be."""

    code = "documents.too-large"

    def __init__(self, name: str, most_bytes: int) -> None:
        super().__init__(
            f"{name} is larger than {most_bytes / 1e6:,.0f} MB, the most that a document may have. Nothing of it was "
            "kept. Make it smaller, or raise files.most_upload_mb."
        )


class DocumentEmptyError(AthanorError):
    """A file has no content."""

    code = "documents.empty"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has 0 bytes. It may still have been written when it was sent; send it again.")


class DocumentCutShortError(AthanorError):
    """A file ended before all of it came."""

    code = "documents.cut-short"

    def __init__(self, name: str, came: int, expected: int) -> None:
        super().__init__(f"Of {name} only {came:,} of {expected:,} bytes came. Nothing was kept; send it again.")


class DocumentTypeError(AthanorError):
    """A file is of a type that is not taken."""

    code = "documents.type-not-allowed"

    def __init__(self, name: str, media_type: str) -> None:
        if media_type == PROGRAM:
            super().__init__(
                f"{name} is a program, by what is in it. Programs are not taken; send what it made instead."
            )
            return
        super().__init__(
            f"{name} is of the type {media_type}, by what is in it, which is not taken. Send it in another form, or "
            "ask an administrator to add the type to files.allowed_types."
        )


class DocumentChangeError(AthanorError):
    """A change of a document that makes no sense."""

    code = "documents.bad-change"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The document was not changed: {reason}")


class QuarantinedError(AthanorError):
    """A file has not been searched for viruses yet."""

    code = "documents.quarantined"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is in quarantine until it has been searched for viruses, usually within a minute. Try again then; "
            "if that lasts, the scanner does not answer: see files.scan_command and files.scan_clamd."
        )


class InfectedError(AthanorError):
    """A virus was found in a file."""

    code = "documents.infected"

    def __init__(self, name: str, finding: str) -> None:
        super().__init__(
            f"{name} is infected ({finding}), so nobody can open it. Clean it where it came from and upload a new "
            "version, or remove the document."
        )


class ScannerFailedError(AthanorError):
    """The search for viruses did not work."""

    code = "documents.scanner-failed"

    def __init__(self, scanner: str, reason: object) -> None:
        super().__init__(
            f"The virus scanner {scanner} did not answer ({reason}). Files stay in quarantine and are searched again "
            "every minute. Check that it runs, and files.scan_command and files.scan_clamd."
        )
