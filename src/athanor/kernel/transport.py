"""How the server is reached: with its own certificate, behind a proxy, from this machine alone, or in the clear."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509

from athanor.kernel.errors import AthanorError


class BadCertificateError(AthanorError):
    """The server's certificate cannot be read."""

    code = "server.bad-certificate"

    def __init__(self, file: Path, reason: object) -> None:
        super().__init__(
            f"The certificate {file} cannot be read ({reason}). Check server.tls_certificate: it is a PEM file that "
            "the server may read."
        )


@dataclass(frozen=True, slots=True)
class Transport:
    """What the settings say of it.

    Parameters
    ----------
    host
        Address that the server listens on.
    certificate
        The server's own; None where it speaks plain HTTP.
    is_behind_proxy
        Whether a proxy is believed, which then has a certificate of its own.
    """

    host: str
    certificate: Path | None = None
    is_behind_proxy: bool = False

    @property
    def is_in_the_clear(self) -> bool:
        """Whether passwords and samples cross a network unencrypted."""
        return self.certificate is None and not self.is_behind_proxy and not _is_this_machine(self.host)

    def certificate_ends_at(self) -> datetime | None:
        """When the certificate ends; None without one. The file is read anew: it is renewed while the server runs.

        Raises BadCertificateError.
        """
        if self.certificate is None:
            return None
        try:
            return x509.load_pem_x509_certificates(self.certificate.read_bytes())[0].not_valid_after_utc
        except (OSError, ValueError) as error:
            raise BadCertificateError(self.certificate, error) from error


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
