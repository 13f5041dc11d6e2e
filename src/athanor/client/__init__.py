"""Athanor from Python: tags, current values, history, consumption; answers as Arrow, Polars or pandas.

This package needs httpx and pyarrow and no other part of Athanor: docs/client.md shows it.
"""

from athanor.client.aio import AsyncClient
from athanor.client.answer import Answer
from athanor.client.errors import (
    ApiError,
    ClientError,
    IncompleteAnswerError,
    MissingPackageError,
    ServerUnreachableError,
    SignInFailedError,
)
from athanor.client.sync import Client
from athanor.client.values import CurrentValue, Receipt, Sample, Tag

__all__ = [
    "Answer",
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "CurrentValue",
    "IncompleteAnswerError",
    "MissingPackageError",
    "Receipt",
    "Sample",
    "ServerUnreachableError",
    "SignInFailedError",
    "Tag",
]
