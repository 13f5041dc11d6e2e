"""What can go wrong between a program and a server."""


class ClientError(Exception):
    """The root of the client's errors."""


class ServerUnreachableError(ClientError):
    """Nobody answers at the server's address, or only that it cannot answer now."""

    def __init__(self, url: str, reason: object) -> None:
        super().__init__(f"No answer from {url} ({reason}). Check the address, and that the server runs.")


class SignInFailedError(ClientError):
    """The server does not know this login, password or session."""

    def __init__(self, url: str, login: str | None) -> None:
        who = "this session or token" if login is None else f"{login!r} with this password"
        super().__init__(f"{url} does not let {who} in. Check both; after many failed attempts wait some minutes.")


class ApiError(ClientError):
    """The server refused what was asked.

    Attributes
    ----------
    status
        The HTTP status.
    code
        The server's stable name for the reason, such as `kernel.not-found`; docs/errors.md lists them.
    message
        What happened, to what, and what to do.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(f"[{code}] {message}")


class IncompleteAnswerError(ClientError):
    """An answer broke off on its way: what came is not the whole."""

    def __init__(self, url: str, reason: object) -> None:
        super().__init__(f"The answer from {url} broke off ({reason}). Ask again; the server's log may say why.")


class MissingPackageError(ClientError):
    """A package that was asked for is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"This needs {package}. Install it with: pip install 'athanor[client]'")
