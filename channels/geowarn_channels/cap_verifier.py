"""Checks CAP messages of other issuers: the pinned schema, and signatures by the certificates a feed names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree
from signxml.exceptions import InvalidInput, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from geowarn.ports import Verified
from geowarn_channels.cap_schema import safe_parser, schema_faults

_LEAST_BITS = 2048  # of an RSA key


class CapVerifier:
    """`geowarn.ports.MessageVerifier` for CAP 1.2."""

    name = "cap"

    def fingerprint(self, pem: bytes) -> str:
        """SHA-256 of a certificate in PEM; raises ValueError where it is none or its key is neither RSA nor ECDSA."""
        certificate = x509.load_pem_x509_certificate(pem)
        try:
            key = certificate.public_key()
        except UnsupportedAlgorithm as error:
            raise ValueError(str(error)) from None
        strong = isinstance(key, RSAPublicKey) and key.key_size >= _LEAST_BITS
        if not strong and not isinstance(key, EllipticCurvePublicKey):
            raise ValueError(f"RSA of {_LEAST_BITS} bits or more, or ECDSA")
        return certificate.fingerprint(SHA256()).hex()

    def schema_faults(self, body: bytes) -> tuple[str, ...]:
        """What the schema finds wrong, one line each; empty when valid."""
        return schema_faults(etree.fromstring(body, safe_parser()))

    def verify(self, body: bytes, certificates: Sequence[bytes], sent: datetime) -> Verified | None:
        """The bytes that one of these certificates, valid when it was sent, has signed as a whole message."""
        expected = SignatureConfiguration(
            require_x509=True,
            location="./",
            expect_references=1,
            verification_time=sent,
        )
        for pem in certificates:
            certificate = x509.load_pem_x509_certificate(pem)
            try:
                found = XMLVerifier().verify(
                    etree.fromstring(body, safe_parser()), x509_cert=certificate, expect_config=expected
                )
            except (InvalidSignature, InvalidInput, ValueError, KeyError, TypeError, AttributeError, etree.LxmlError):
                continue
            result = found[0] if isinstance(found, list) else found
            if result.signed_xml is not None:
                return Verified(etree.tostring(result.signed_xml), certificate.fingerprint(SHA256()).hex())
        return None
