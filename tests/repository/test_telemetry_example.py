"""The program in docs/telemetry.md does what the page says, over a real connection."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from athanor.kernel.telemetry import Quality, Sample, decode, samples_of

from .tree import ROOT, code_blocks

PROGRAM = code_blocks(ROOT / "docs" / "telemetry.md", "python")[0]


class Receiver(HTTPServer):
    """Takes batches as the server's ingest does, and keeps them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Ingest)
        self.samples: list[Sample] = []
        self.asked_for: list[tuple[str, str]] = []


class Ingest(BaseHTTPRequestHandler):
    """One request."""

    server: Receiver

    def do_POST(self) -> None:
        """Decode the batch and answer that it is stored."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked_for.append((self.path, self.headers["Authorization"]))
        self.server.samples += samples_of(decode(body))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"stored": 4, "quarantined": 0}')

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port of the loopback address."""
    with Receiver() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_program_in_the_manual_sends_a_batch_that_the_server_understands(receiver: Receiver) -> None:
    environment = os.environ | {"SERVER": f"http://127.0.0.1:{receiver.server_port}", "EDGE_TOKEN": "secret"}
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    command = [sys.executable, "-c", PROGRAM]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.stdout == "{'stored': 4, 'quarantined': 0}\n", answer.stderr
    assert receiver.asked_for == [("/api/v1/ingest/samples", "Bearer secret")]
    assert [
        (sample.tag.rpartition(".")[2], sample.value, sample.quality, sample.unit) for sample in receiver.samples
    ] == [
        ("flow", 31.4, Quality.GOOD, "t/h"),
        ("pressure", 3.82, Quality.GOOD, None),
        ("grade", "B2", Quality.GOOD, None),
        ("level", None, Quality.BAD, None),
    ]
