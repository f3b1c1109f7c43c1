"""Keys, passwords and tokens: what is sealed stays sealed, what is signed cannot be changed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import SHIPPED_HASHER

from geowarn import security
from geowarn.domain.errors import Refused
from geowarn.security import FileVault, create_keys, load_signing_key, public_key_text, sign_text, verify_text

NUMBER = "+12025550142"
quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_keys_are_for_the_owner_only_and_never_replaced(keys: Path) -> None:
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    assert set(before) == {security.SEALING, security.MATCHING, security.SIGNING, security.SIGNING_PUBLIC}
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    create_keys(keys)
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before


def test_each_installation_has_keys_of_its_own(keys: Path, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    for name in (security.SEALING, security.MATCHING, security.SIGNING):
        assert (keys / name).read_bytes() != (tmp_path / "other" / name).read_bytes()


@quick
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_sealing_hides_and_opens_again(keys: Path, text: str) -> None:
    vault = FileVault(keys)
    first, second = vault.seal(text), vault.seal(text)
    assert first != second
    assert vault.open(first) == vault.open(second) == text
    assert len(text) < 4 or text.encode() not in first


@quick
@given(st.data())
def test_one_changed_byte_is_refused(keys: Path, data: st.DataObject) -> None:
    vault = FileVault(keys)
    sealed = bytearray(vault.seal(NUMBER))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Refused, match="foreign-key") as refusal:
        vault.open(bytes(sealed))
    assert NUMBER not in str(refusal.value)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(12), b"\x02" + bytes(40)])
def test_what_was_never_sealed_is_refused(keys: Path, sealed: bytes) -> None:
    with pytest.raises(Refused, match="foreign-key"):
        FileVault(keys).open(sealed)


def test_another_installation_opens_nothing_and_matches_nothing(keys: Path, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    ours, other = FileVault(keys), FileVault(tmp_path / "other")
    with pytest.raises(Refused, match="foreign-key"):
        other.open(ours.seal(NUMBER))
    assert ours.key_of(NUMBER) == FileVault(keys).key_of(NUMBER) != other.key_of(NUMBER)
    assert ours.key_of(NUMBER) != ours.key_of("+12025550143")
    assert len(ours.key_of(NUMBER)) == 64


def test_missing_and_damaged_keys_are_named(keys: Path) -> None:
    (keys / security.SEALING).write_text("not hexadecimal")
    with pytest.raises(Refused, match=f"bad-key: file=.*{security.SEALING}"):
        FileVault(keys).seal(NUMBER)
    (keys / security.MATCHING).write_text("abcd")
    with pytest.raises(Refused, match="bad-key"):
        FileVault(keys).key_of(NUMBER)
    (keys / security.SEALING).unlink()
    with pytest.raises(Refused, match="no-key"):
        FileVault(keys).seal(NUMBER)
    (keys / security.SIGNING).unlink()
    with pytest.raises(Refused, match="no-key"):
        load_signing_key(keys)


@pytest.mark.parametrize("foreign", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_signing_key_that_is_none_is_refused(keys: Path, foreign: bytes) -> None:
    (keys / security.SIGNING).write_bytes(foreign)
    with pytest.raises(Refused, match="bad-key"):
        load_signing_key(keys)


def test_a_signing_key_of_another_kind_is_refused(keys: Path) -> None:
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (keys / security.SIGNING).write_bytes(other)
    with pytest.raises(Refused, match="bad-key"):
        load_signing_key(keys)


@quick
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_signature_holds_for_its_bytes_and_its_key_only(keys: Path, body: bytes, other: bytes) -> None:
    key = load_signing_key(keys)
    signature, public = sign_text(key, body), public_key_text(key)
    assert verify_text(public, body, signature)
    assert verify_text(public, other, signature) == (other == body)
    assert not verify_text(public[::-1], body, signature)
    assert not verify_text(public, body, signature[:-2])


@pytest.mark.parametrize(("key", "signature"), [("", ""), ("zz", "00"), ("00" * 32, "00" * 64), ("ab", "€")])
def test_what_is_no_signature_does_not_hold(key: str, signature: str) -> None:
    assert not verify_text(key, b"body", signature)


WEAK = [
    "01" + "00" * 31,
    "00" * 31 + "80",
    "ec" + "ff" * 30 + "7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]


@pytest.mark.parametrize("key", WEAK)
def test_a_key_that_fits_every_text_is_none(key: str) -> None:
    for point in (key, "01" + "00" * 31, "00" * 32):
        for body in (b"", b"body", b"another", b"x" * 9):
            assert not verify_text(key, body, point + "00" * 32)


def test_the_public_part_lies_beside_the_key(keys: Path) -> None:
    assert (keys / security.SIGNING_PUBLIC).read_text().strip() == public_key_text(load_signing_key(keys))


def test_passwords() -> None:
    stored = security.hash_password("正确的密码")
    assert stored.startswith("$argon2id$")
    assert security.verify_password("正确的密码", stored)
    assert not security.verify_password("falsch", stored)
    assert not security.verify_password("", "")
    assert not security.verify_password("x", "not a hash")


def test_a_password_costs_a_guesser_what_rfc_9106_asks_for() -> None:
    assert extract_parameters(SHIPPED_HASHER.hash("正确的密码")) == RFC_9106_LOW_MEMORY


def test_tokens() -> None:
    tokens = {security.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(security.token_sha256(token)) == 64 for token in tokens)


def test_somebody_runs_this() -> None:
    assert security.os_user()
