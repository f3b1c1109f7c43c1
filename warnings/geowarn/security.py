"""Keys, passwords and tokens of an installation; everything secret lies in its `keys/` folder, mode 0600."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from geowarn.domain.errors import Refused
from geowarn.domain.unread import why

SEALING = "phone-sealing.key"
MATCHING = "phone-matching.key"
SIGNING = "ledger-signing.pem"
SIGNING_PUBLIC = "ledger-signing.pub"

_NONCE = 12
_LENGTH = 32
_FORMAT = b"\x01"  # first byte of everything sealed: AES-256-GCM, nonce, ciphertext with tag


def create_keys(keys_dir: Path) -> None:
    """Make every key that is not there yet; none is ever replaced, because what it sealed would be lost."""
    keys_dir.mkdir(parents=True, exist_ok=True)
    keys_dir.chmod(0o700)
    _create(keys_dir / SEALING, lambda: secrets.token_hex(_LENGTH).encode())
    _create(keys_dir / MATCHING, lambda: secrets.token_hex(_LENGTH).encode())
    _create(
        keys_dir / SIGNING,
        lambda: Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
    _create(keys_dir / SIGNING_PUBLIC, lambda: public_key_text(load_signing_key(keys_dir)).encode() + b"\n")


def _create(path: Path, make: Callable[[], bytes]) -> None:
    if path.exists():
        return
    body = make()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(body)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused("security.no-key", file=str(path), reason=why(error)) from None


def _secret(path: Path) -> bytes:
    try:
        key = bytes.fromhex(_read(path).decode("ascii").strip())
    except ValueError:
        raise Refused("security.bad-key", file=str(path)) from None
    if len(key) != _LENGTH:
        raise Refused("security.bad-key", file=str(path))
    return key


class FileVault:
    """`ports.Vault` with two keys from files: one seals numbers, the other only tells whether two are equal."""

    def __init__(self, keys_dir: Path) -> None:
        self._folder = keys_dir

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(_secret(self._folder / SEALING))

    @cached_property
    def _matching(self) -> bytes:
        return _secret(self._folder / MATCHING)

    def seal(self, text: str) -> bytes:
        """Encrypt with AES-256-GCM and a fresh nonce; the same text gives different bytes each time."""
        return self.seal_bytes(text.encode())

    def seal_bytes(self, body: bytes) -> bytes:
        """`seal` for what is no text."""
        nonce = secrets.token_bytes(_NONCE)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, body, _FORMAT)

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` made; raises Refused when the key does not fit or the bytes were changed."""
        return self.open_bytes(sealed).decode()

    def open_bytes(self, sealed: bytes) -> bytes:
        """`open` for what `seal_bytes` made."""
        nonce, body = sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        try:
            if sealed[:1] != _FORMAT:
                raise InvalidTag
            return self._cipher.decrypt(nonce, body, _FORMAT)
        except (InvalidTag, ValueError):
            raise Refused("security.foreign-key", file=str(self._folder / SEALING)) from None

    def key_of(self, text: str) -> str:
        """HMAC-SHA256 in hexadecimal: equal for equal texts, useless without the key."""
        return hmac.new(self._matching, text.encode(), hashlib.sha256).hexdigest()


_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """Argon2id with the library's defaults."""
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str) -> bool:
    """Whether the password fits; False for an empty or unreadable hash."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def new_token() -> str:
    """A random token of 256 bits, safe in a cookie or an address."""
    return secrets.token_urlsafe(32)


def token_sha256(token: str) -> str:
    """What the store keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def load_signing_key(keys_dir: Path) -> Ed25519PrivateKey:
    """The key that signs the ledger's head; raises Refused when it is missing or is something else."""
    path = keys_dir / SIGNING
    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError):
        raise Refused("security.bad-key", file=str(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused("security.bad-key", file=str(path))
    return key


def public_key_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public part as 64 hexadecimal digits."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def sign_text(key: Ed25519PrivateKey, body: bytes) -> str:
    """The Ed25519 signature in 128 hexadecimal digits."""
    return key.sign(body).hex()


# Points of small order, sign bit off: as a public key each of them makes one signature fit every text.
_P = 2**255 - 19
_WEAK = frozenset(
    {0, 1, _P - 1, _P, _P + 1}
    | {
        int.from_bytes(bytes.fromhex(y), "little")
        for y in (
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        )
    }
)


def verify_text(public_key: str, body: bytes, signature: str) -> bool:
    """Whether the signature fits body and public key; False for anything that is not one, and for a weak key."""
    try:
        key = bytes.fromhex(public_key)
        if int.from_bytes(key, "little") % 2**255 in _WEAK:
            return False
        Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(signature), body)
    except (InvalidSignature, ValueError):
        return False
    return True


def os_user() -> str:
    """Who runs this process, for the ledger; the number where the machine knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
