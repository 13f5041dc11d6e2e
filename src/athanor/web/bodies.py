"""What programs send, read no further than it may be long."""

from http import HTTPStatus

from fastapi import HTTPException, Request


async def bounded_body(request: Request, most_bytes: int, *, code: str, advice: str) -> bytes:
    """The whole body. Answers 413 with this code and advice as soon as it is longer."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            message = f"One request may carry {most_bytes // 1024**2} MiB. {advice}"
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"code": code, "message": message})
    return bytes(body)
