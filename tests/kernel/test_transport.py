"""Whether the server is reached in the clear, and when its certificate ends."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from athanor.kernel.transport import BadCertificateError, Transport

END = datetime(2031, 5, 4, 7, 30, tzinfo=UTC)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "athanor.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(END - timedelta(days=90))
        .not_valid_after(END)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return file


def test_the_certificates_end_is_read_from_its_file(certificate: Path) -> None:
    assert Transport("0.0.0.0", certificate).certificate_ends_at() == END  # noqa: S104
    assert Transport("127.0.0.1").certificate_ends_at() is None


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_what_is_no_certificate_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "bad.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadCertificateError, match=r"bad\.pem"):
        Transport("0.0.0.0", file).certificate_ends_at()  # noqa: S104


@pytest.mark.parametrize(
    ("transport", "in_the_clear"),
    [
        (Transport("127.0.0.1"), False),
        (Transport("::1"), False),
        (Transport("localhost"), False),
        (Transport("10.0.0.5"), True),
        (Transport("plant-server"), True),
        (Transport("10.0.0.5", is_behind_proxy=True), False),
        (Transport("10.0.0.5", Path("server.pem")), False),
    ],
)
def test_only_a_network_without_encryption_is_in_the_clear(transport: Transport, in_the_clear: bool) -> None:
    assert transport.is_in_the_clear is in_the_clear
