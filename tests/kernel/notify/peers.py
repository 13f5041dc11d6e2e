"""What channels speak to in tests: real servers on loopback, and a place with people to write to."""

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from athanor.kernel.database.database import Database
from athanor.kernel.identity.user import User
from athanor.kernel.notify import notice
from athanor.kernel.notify.channels.port import Channel
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.tables import MessageRow, NoticeRow, State
from athanor.kernel.plant.model import Plant

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLANT = Plant(id="park", name={"en": "Park"}, timezone="Asia/Shanghai", tenants={}, nodes={})
PARK = User(1, "park.admin", "Park", ("administrator",))
TENANT = User(2, "smelter.admin", "Smelter", ("administrator",), tenant="smelter")
OPERATOR = User(3, "operator", "Operator", ("operator",))


@dataclass
class Asked:
    """One request that a server saw."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpPeer:
    """An HTTP server that remembers what it was asked, and answers as it is told."""

    answer: Callable[[Asked], tuple[int, bytes]] = lambda _: (200, b"{}")
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def http_peer(tls: ssl.SSLContext | None = None) -> Iterator[HttpPeer]:
    """A server in a thread of its own."""
    peer = HttpPeer()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            one = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            peer.asked.append(one)
            status, content = peer.answer(one)
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if 300 <= status < 400:
                self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _take  # noqa: N815

        def log_message(self, *_: Any) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    peer.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield peer
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class MailPeer:
    """A mail server that keeps what it took."""

    taken: list[Envelope] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)  # by address: the answer
    port: int = 0

    async def handle_RCPT(  # noqa: N802
        self, _s: SMTP, _session: Session, envelope: Envelope, address: str, _o: list[str]
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.taken.append(envelope)
        return "250 OK"


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    is_right = mechanism in ("LOGIN", "PLAIN") and data.login == b"athanor" and data.password == b"smtp-geheim-1"
    return AuthResult(success=is_right)


@contextmanager
def mail_peer(
    *, tls: ssl.SSLContext | None = None, is_implicit: bool = False, port: int = 0, peer: MailPeer | None = None
) -> Iterator[MailPeer]:
    """A mail server in a thread of its own: plain, with STARTTLS and a password, or with TLS from the first byte."""
    peer = peer or MailPeer()
    more: dict[str, Any] = {}
    if tls is not None and not is_implicit:
        more = {"tls_context": tls, "require_starttls": True, "auth_required": True, "authenticator": _knows}
    controller = Controller(
        peer, hostname="127.0.0.1", port=port or free_port(), ssl_context=tls if is_implicit else None, **more
    )
    peer.port = controller.port
    controller.start()
    try:
        yield peer
    finally:
        controller.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of our own for 127.0.0.1, to be believed as authority, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    authority = folder / "ca.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return authority, context


class Clock:
    """A clock that goes when it is told."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def go(self, **by: float) -> None:
        self.at += timedelta(**by)


async def given(
    database: Database, channel_id: int, count: int = 1, *, priority: int = 4, recipient: str = "a@example.com",
    subject: str = "alarms.occurrence", start: int = 0, now: datetime = NOON, tenant: str | None = None,
    title: str = "Bath temperature high", **more: Any,
) -> list[int]:  # fmt: skip
    """Messages that wait for a channel, each of a notice of its own; their ids."""
    async with database.session() as session:
        keys = [f"{subject}:{start + i}:{priority}:{more}" for i in range(count)]
        await notice.put(
            session,
            [
                Notice(
                    key=key,
                    topic="alarms.raised",
                    subject=f"{subject}:{start + i}",
                    title={"en": title},
                    priority=priority,
                    tenant=tenant,
                    link="/alarms",
                    at=now,
                    **more,
                )
                for i, key in enumerate(keys)
            ],
            now,
        )
        rows = (await session.scalars(select(NoticeRow).where(NoticeRow.key.in_(keys)).order_by(NoticeRow.id))).all()
        messages = []
        for row in rows:
            row.routed_at = now
            messages.append(
                MessageRow(
                    notice_id=row.id,
                    policy_id=1,
                    step=0,
                    channel_id=channel_id,
                    recipient=recipient,
                    login=None,
                    token=f"token-{row.id}-{channel_id}",
                    state=State.WAITING,
                    due_at=now,
                    attempts=0,
                    made_at=now,
                    error="",
                    title=title,
                    body="Furnace 1",
                    tenant=tenant,
                )
            )
        session.add_all(messages)
        await session.flush()
        return [one.id for one in messages]


async def states(database: Database) -> dict[str, int]:
    """How many messages are in each state."""
    async with database.reading() as session:
        query = select(MessageRow.state, func.count()).group_by(MessageRow.state)
        return {state: count for state, count in await session.execute(query)}  # noqa: C416


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Return once it holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def opened(kind: type[Channel], outside: Any, **settings: Any) -> Channel:
    """A channel with these settings."""
    return kind(kind.Settings.model_validate(settings), outside)
