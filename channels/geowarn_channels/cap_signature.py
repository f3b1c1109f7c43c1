"""Enveloped XML signatures of CAP messages (CAP 1.2, 3.3.4.1; XML-DSig), put before the closing tag of frozen bytes.

Nothing but the signature is added: taking it out again gives the bytes that were signed off, which a pack proves.
No style-sheet instruction is ever written, because verifiers other than signxml count it in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.signer import XMLSigner
from signxml.verifier import SignatureConfiguration, XMLVerifier

from geowarn.domain.errors import Refused
from geowarn_channels.cap_schema import safe_parser

KEY = "cap-signing.pem"
CERTIFICATE = "cap-signing.crt"
MEDIA_TYPE = "application/cap+xml"
_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_CLOSING = b"</alert>"


@dataclass(frozen=True, slots=True)
class CapSigner:
    """A private key (RSA or ECDSA) with the certificate that goes into each message."""

    key: RSAPrivateKey | EllipticCurvePrivateKey
    certificate: x509.Certificate

    def sign(self, body: bytes) -> bytes:
        """The message with its signature as the last child of `alert`, all other bytes unchanged."""
        method = SignatureMethod.RSA_SHA256 if isinstance(self.key, RSAPrivateKey) else SignatureMethod.ECDSA_SHA256
        signer = XMLSigner(signature_algorithm=method, c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0)
        signed = signer.sign(etree.fromstring(body, safe_parser()), key=self.key, cert=[self.certificate])
        signature = signed[-1]
        signature.tail = None
        at = body.rindex(_CLOSING)
        return body[:at] + _standing_alone(signature) + body[at:]


def load_signer(keys_dir: Path, now: datetime) -> CapSigner:
    """The installation's signer; raises Refused where key or certificate are missing, unfit, mismatched or expired."""
    try:
        key = load_pem_private_key((keys_dir / KEY).read_bytes(), None)
    except OSError:
        raise Refused("cap.key-missing", file=KEY) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused("cap.key-unreadable", file=KEY) from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise Refused("cap.key-unreadable", file=KEY)
    certificate = _certificate(keys_dir / CERTIFICATE)
    public = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*public) != key.public_key().public_bytes(*public):
        raise Refused("cap.key-mismatch", file=CERTIFICATE, key_file=KEY)
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        span = f"{certificate.not_valid_before_utc:%Y-%m-%d} / {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise Refused("cap.key-expired", file=CERTIFICATE, span=span)
    return CapSigner(key, certificate)


def published_certificates(keys_dir: Path) -> dict[str, bytes]:
    """Path below the public tree to PEM of every certificate, old ones included: what was signed stays verifiable.

    A damaged one is left out: it stops signing, but never the pages.
    """
    found: dict[str, bytes] = {}
    for path in sorted(keys_dir.glob("cap-signing*.crt")):
        try:
            certificate = _certificate(path)
        except Refused:
            continue
        name = certificate.fingerprint(SHA256()).hex()[:16]
        found[f"cap/keys/{name}.pem"] = certificate.public_bytes(Encoding.PEM)
    return found


def verified_by(body: bytes, certificates: list[x509.Certificate], sent: datetime) -> x509.Certificate | None:
    """Which of these certificates, valid when the message was sent, its signature belongs to; None where none does."""
    expected = SignatureConfiguration(require_x509=True, expect_references=1, verification_time=sent)
    for certificate in certificates:
        try:
            XMLVerifier().verify(body, x509_cert=certificate, expect_config=expected)
        except (InvalidSignature, InvalidInput, ValueError, etree.XMLSyntaxError):
            continue
        return certificate
    return None


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except OSError:
        raise Refused("cap.key-missing", file=path.name) from None
    except ValueError:
        raise Refused("cap.key-unreadable", file=path.name) from None


def _standing_alone(signature: etree._Element) -> bytes:
    """The element's own bytes; the CAP namespace that surrounds it is declared by the root already."""
    alone = etree.fromstring(etree.tostring(signature, method="c14n"), safe_parser())
    return bytes(etree.tostring(alone))
