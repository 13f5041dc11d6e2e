"""What a person typed, as a schedule or a job's arguments."""

import json
from typing import Any

from athanor.apps.operations.services.errors import BadArgumentsTextError


def arguments_of(text: str) -> dict[str, Any]:
    """A job's arguments from JSON; none from nothing. Raises BadArgumentsTextError."""
    if not text.strip():
        return {}
    try:
        read = json.loads(text)
    except ValueError as error:
        raise BadArgumentsTextError(error) from error
    if not isinstance(read, dict):
        raise BadArgumentsTextError(f"it is a {type(read).__name__}")
    return read
