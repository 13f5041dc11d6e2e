"""A real OpenLDAP server on loopback, with the people of a works."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import ldap3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BASE = "dc=works,dc=example"
ROOT, ROOT_PASSWORD = f"cn=root,{BASE}", "root of the works"
PASSWORD = "molten copper 1200"
OPERATORS, ENGINEERS = (f"cn={name},ou=groups,{BASE}" for name in ("operators", "engineers"))

_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "{base}"
rootdn "{root}"
rootpw "{password}"
directory {folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
"""


class Slapd:
    """One server. It can be stopped and started again on its port."""

    def __init__(self, program: Path, folder: Path, ports: tuple[int, int]) -> None:
        self._program, self._folder, self._port = program, folder, ports[0]
        self.url, self.tls_url = f"ldap://127.0.0.1:{ports[0]}", f"ldaps://127.0.0.1:{ports[1]}"
        self.ca_file = folder / "server.pem"

    def start(self) -> None:
        command = [self._program, "-d", "0", "-h", f"{self.url} {self.tls_url}", "-f", self._folder / "slapd.conf"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                assert self._process.poll() is None, "slapd ended"
                assert time.monotonic() < deadline, "slapd does not answer"
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    @contextmanager
    def as_root(self) -> Iterator[ldap3.Connection]:
        server = ldap3.Server(self.url, connect_timeout=2, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, ROOT, ROOT_PASSWORD, raise_exceptions=True)
        connection.bind()
        yield connection
        connection.socket.close()


@contextmanager
def slapd(program: Path, folder: Path, ports: tuple[int, int]) -> Iterator[Slapd]:
    """A server with two groups and some people in it."""
    (folder / "db").mkdir()
    _make_certificate(folder)
    config = _CONFIG.format(folder=folder, base=BASE, root=ROOT, password=ROOT_PASSWORD)
    (folder / "slapd.conf").write_text(config)
    server = Slapd(program, folder, ports)
    server.start()
    try:
        with server.as_root() as root:
            _fill(root)
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def dn_of(login: str) -> str:
    return f"uid={login},ou=people,{BASE}"


def _fill(root: ldap3.Connection) -> None:
    root.add(BASE, ["dcObject", "organization"], {"dc": "works", "o": "Works"})
    for unit in ("people", "groups"):
        root.add(f"ou={unit},{BASE}", "organizationalUnit", {"ou": unit})
    for login, name in (("li", "Li Na 李娜"), ("wang", "Wang Lei"), ("both", "Both"), ("none", "None")):
        root.add(
            dn_of(login),
            "inetOrgPerson",
            {"uid": login, "cn": name, "sn": name, "mail": f"{login}@works.example", "userPassword": PASSWORD},
        )
    service = {"cn": "athanor", "sn": "athanor", "userPassword": "service password"}
    root.add(f"cn=athanor,{BASE}", "inetOrgPerson", service)
    root.add(OPERATORS, "groupOfNames", {"cn": "operators", "member": [dn_of("li"), dn_of("both")]})
    root.add(ENGINEERS, "groupOfNames", {"cn": "engineers", "member": [dn_of("wang"), dn_of("both")]})


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    with os.fdopen(os.open(folder / "server.key", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
