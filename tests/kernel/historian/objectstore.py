"""A real S3-compatible server on loopback, and in front of it a gateway that can be slow, refuse, break or lie."""

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from athanor.kernel.historian.s3 import S3Store

BUCKET = "park"
_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_numbers = count()


@contextmanager
def object_store() -> Iterator[str]:
    """The address of a server with one bucket, which ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        assert server.stdout is not None
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        httpx.put(f"{address}/{BUCKET}", trust_env=False).raise_for_status()
        yield address
        server.kill()


def lake_at(address: str, prefix: str | None = None, **options: Any) -> S3Store:
    """A lake of its own, or the one below a prefix."""
    url = f"s3://{BUCKET}/{prefix or f'lake-{next(_numbers)}'}"
    return S3Store(url, endpoint=address, allow_http=True, **{"timeout_s": 5.0, **options})


@dataclass
class Trouble:
    """What the gateway does to requests that it concerns; to as many as `times` says, or to all."""

    delay_s: float = 0.0
    status: int | None = None  # answered at once, and never passed on
    cut: bool = False  # the connection breaks in the middle of the answer
    deaf: bool = False  # passed on, but the answer is lost
    late_s: float | None = None  # the connection breaks, and so much later the request arrives all the same
    drop: tuple[str, ...] = ()  # headers that are not passed on
    times: int | None = None
    concerns: Callable[[str, str], bool] = field(default=lambda _method, _path: True)


class Gateway:
    """Passes requests on to a server. `trouble` may be set at any time."""

    def __init__(self, target: str) -> None:
        self.trouble = Trouble()
        self.seen: list[tuple[str, str]] = []
        self.late: list[threading.Thread] = []
        self._refuses = False
        self.target = target
        self._target = urlsplit(target).netloc
        self._lock = threading.Lock()
        self._server = self._listening(0)
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Refuse connections from now on, and end those that are open."""
        self._refuses = True
        self._server.shutdown()
        self._server.server_close()

    def open(self) -> None:
        """Take connections again, on the same port."""
        self._refuses = False
        self._server = self._listening(self.port)

    def wait_for_late(self) -> None:
        """Until everything has arrived."""
        for late in self.late:
            late.join()

    def _listening(self, port: int) -> ThreadingHTTPServer:
        gateway = self

        class Handler(_Handler):
            owner = gateway

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who asked has hung up: that is the test
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def trouble_for(self, method: str, path: str) -> Trouble:
        """What to do to one request."""
        with self._lock:
            if self._refuses:
                return Trouble(status=0)
            self.seen.append((method, path))
            trouble = self.trouble
            if not trouble.concerns(method, path) or trouble.times == 0:
                return Trouble()
            if trouble.times is not None:
                trouble.times -= 1
            return trouble

    def passed_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, bytes]:
        """The server's answer."""
        connection = http.client.HTTPConnection(self._target, timeout=30)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    owner: Gateway
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer is one packet

    def do_GET(self) -> None:
        trouble = self.owner.trouble_for(self.command, self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in trouble.drop}
        time.sleep(trouble.delay_s)
        if trouble.status == 0:
            self.close_connection = True
        elif trouble.status is not None:
            self._answer(trouble.status, [], b"<Error><Code>SlowDown</Code></Error>")
        elif trouble.late_s is not None:
            later = threading.Timer(trouble.late_s, self.owner.passed_on, (self.command, self.path, headers, body))
            self.owner.late.append(later)
            later.start()
            self.close_connection = True
        else:
            status, answered, content = self.owner.passed_on(self.command, self.path, headers, body)
            if trouble.deaf:
                self.close_connection = True
            else:
                self._answer(status, answered, content, cut=trouble.cut)

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 the names are http.server's

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(content)))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection |= cut

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the name is http.server's
        pass


@contextmanager
def gateway_to(target: str) -> Iterator[Gateway]:
    """A gateway to a server, open until the block ends."""
    gateway = Gateway(target)
    yield gateway
    gateway.trouble = Trouble()
    gateway.close()
    gateway.wait_for_late()
