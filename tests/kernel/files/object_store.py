"""An S3-compatible object store on the loopback interface that misbehaves when told to."""

import threading
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

KEY, SECRET = "test", "test-secret"


class ObjectStore:
    """Moto's server, real HTTP.

    `faults` are answered one a request, a status and the store's code for it; then requests pass. With `always` set
    they never do. `at` limits both to requests whose query holds it.
    """

    def __init__(self) -> None:
        self.behave()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def behave(self) -> None:
        """Have no faults from now on."""
        self.faults: list[tuple[int, str]] = []
        self.always: tuple[int, str] | None = None
        self.at = ""

    def new_bucket(self) -> str:
        """The address of an empty bucket."""
        name = f"athanor-{uuid4().hex}"
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket=name)
        client.close()
        return f"s3://{name}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        fault = None
        if self.at in environ["QUERY_STRING"]:
            fault = self.always or (self.faults.pop(0) if self.faults else None)
        if fault is None:
            answer: Iterable[bytes] = self._moto(environ, start_response)
            return answer
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = f"<Error><Code>{fault[1]}</Code><Message>told to</Message></Error>".encode()
        start_response(
            f"{fault[0]} {fault[1]}", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        )
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
