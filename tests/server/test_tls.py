"""https with a certificate of one's own, and behind a proxy: what the server believes of who asks, and from whom."""

import asyncio
import socket
import ssl
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from athanor.cli.running import session_with, trust_of, url_of
from athanor.edge.buffer import Buffer
from athanor.edge.config import UplinkConfig
from athanor.edge.uplink import Uplink
from athanor.kernel.settings import BadSettingsError, load_settings
from athanor.kernel.telemetry import Sample, batch_of, encode
from athanor.web.sessions import COOKIE

from .running import EDGE, PASSWORD, RunningServer

NAME = "athanor.example"


def certificate(folder: Path) -> tuple[Path, Path]:
    """One for the server's name for the world, made out by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME), x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


class SecuredServer(RunningServer):
    """A server that answers by https alone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        made, key = certificate(folder)
        told = self.settings.server.model_copy(update={"port": self.port, "tls_certificate": made, "tls_key": key})
        self.settings = self.settings.model_copy(update={"server": told})
        self.environment |= {"ATHANOR_SERVER__TLS_CERTIFICATE": str(made), "ATHANOR_SERVER__TLS_KEY": str(key)}
        self.url = url_of(self.settings)

    def client(self, login: str | None = "anna") -> httpx.Client:
        cookies = {} if login is None else {COOKIE: self.sessions[login]}
        trusted = trust_of(self.settings)
        return httpx.Client(base_url=self.url, cookies=cookies, verify=trusted, timeout=30, trust_env=False)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"the server ended: {self.log()}"
        with self.client(None) as client:
            return client.get("/readyz").status_code == 200


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServer]:
    """https, and no proxy is named."""
    running = SecuredServer(tmp_path_factory.mktemp("secured"))
    running.prepare()
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """http behind a proxy on this machine, which speaks https with the world."""
    running = RunningServer(tmp_path_factory.mktemp("proxied"))
    running.environment["ATHANOR_SERVER__BEHIND_PROXY"] = '["127.0.0.1", "10.9.0.0/16"]'
    running.prepare()
    running.start()
    yield running
    running.end()


def sign_in(client: httpx.Client, **headers: str) -> httpx.Response:
    answer = client.post("/sign-in", data={"login": "anna", "password": PASSWORD}, headers=headers)
    assert answer.status_code == 303, answer.text
    return answer


def address_of_newest(server: RunningServer) -> str:
    with server.client() as client:
        return str(client.get("/api/v1/me/sessions").json()[0]["address"])


def test_https_answers_with_the_certificate_and_keeps_browsers_on_it(secured: SecuredServer) -> None:
    assert f"https://127.0.0.1:{secured.port}" in secured.log()  # what it says when it is ready
    with secured.client(None) as client:
        answer = sign_in(client)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert "; Secure" in answer.headers["set-cookie"]


def test_plain_http_is_not_answered(secured: SecuredServer) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{secured.port}/sign-in", trust_env=False)


def test_who_has_another_certificate_is_not_believed(secured: SecuredServer, tmp_path: Path) -> None:
    other, _key = certificate(tmp_path)
    told = secured.settings.server.model_copy(update={"tls_certificate": other})
    stranger = trust_of(secured.settings.model_copy(update={"server": told}))
    with httpx.Client(verify=stranger, trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get(secured.url)


def test_old_versions_of_tls_are_refused(secured: SecuredServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that these versions are old is the point
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", secured.port)) as raw,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(raw)


def test_a_command_asks_a_server_that_answers_by_https(secured: SecuredServer) -> None:
    async def asked() -> str | None:
        async with session_with(secured.settings) as session:
            return session

    assert asyncio.run(asked()) is not None


def test_a_proxy_that_nobody_named_is_not_believed(secured: SecuredServer) -> None:
    with secured.client(None) as client:
        sign_in(client, **{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"})
    assert address_of_newest(secured) == "127.0.0.1"


def test_a_proxy_that_was_named_says_who_asks_and_how(proxied: RunningServer) -> None:
    with proxied.client(None) as client:
        spoofed = "198.51.100.1, 203.0.113.9, 10.9.0.4"  # what the client itself wrote, it, and a proxy that we know
        answer = sign_in(client, **{"X-Forwarded-For": spoofed, "X-Forwarded-Proto": "https"})
        assert "; Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert address_of_newest(proxied) == "203.0.113.9"


@pytest.mark.parametrize(("server", "why"), [
    ('tls_certificate = "c.pem"', "belong together"),
    ('tls_key = "k.pem"', "belong together"),
    ('behind_proxy = ["the proxy"]', "does not appear to be an IPv4 or IPv6 network"),
])  # fmt: skip
def test_settings_that_would_not_do_are_refused(tmp_path: Path, server: str, why: str) -> None:
    file = tmp_path / "athanor.toml"
    file.write_text(f"[server]\n{server}\n", encoding="utf-8")
    with pytest.raises(BadSettingsError, match=why):
        load_settings(file)


@asynccontextmanager
async def delivering(server: RunningServer, ca_file: Path, file: Path) -> AsyncIterator[Uplink]:
    """An edge with one batch to deliver, which believes this certificate."""
    batch = batch_of([Sample("smelter.power", datetime.now(UTC), 1.0)])
    buffer = await Buffer.open(file, 10**9)
    await buffer.append(encode(batch), batch.num_rows)
    config = UplinkConfig.model_validate({"url": f"https://localhost:{server.port}", "ca_file": ca_file})
    uplink = Uplink(config, buffer, edge=EDGE, token=server.token)
    running = asyncio.create_task(uplink.run())
    yield uplink
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await uplink.close()
    await buffer.close()


async def test_an_edge_delivers_by_https_to_whom_its_file_names_and_to_nobody_else(
    secured: SecuredServer, tmp_path: Path
) -> None:
    own = secured.settings.server.tls_certificate
    assert own is not None
    async with delivering(secured, own, tmp_path / "own.sqlite") as uplink, asyncio.timeout(20):
        await uplink.drain()
        assert uplink.delivered_rows == 1
    other, _key = certificate(tmp_path)
    async with delivering(secured, other, tmp_path / "other.sqlite") as uplink, asyncio.timeout(20):
        await uplink.in_trouble.wait()
        assert uplink.delivered_rows == 0
