"""Ways to damage a file, each repeatable from a seed."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

Mutation = Callable[[Random, bytes, Sequence[bytes]], bytes]

_LONGEST = 4 << 20  # bytes; what a mutation makes is never larger
_WORDS = (
    b"NaN", b"Infinity", b"-1e400", b"9" * 400, b"null", b"\xff\xfe", b"\0", b'"', b"{", b"[", b"\r\n" * 50, b",",
    b"<", b"]]>", b"<!--", b"&#0;", b"&lol;", b"&#x110000;")  # fmt: skip


def truncated(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Breaks off anywhere, as a download does."""
    return data[: chance.randrange(len(data))] if data else data


def flipped(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A few bits turned over, anywhere."""
    damaged = bytearray(data)
    for _step in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def random_header(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """The first bytes are noise; often the magic number is kept, so that the reader goes on."""
    kept, length = chance.choice((0, 4, 8)), chance.randint(1, 96)
    return data[:kept] + chance.randbytes(length) + data[kept + length :]


def extreme_bytes(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Lengths and counts in headers become the largest, smallest or negative they can say."""
    damaged = bytearray(data)
    for _step in range(chance.randint(1, 3)):
        at, width = chance.randrange(min(len(damaged), 512)), chance.choice((1, 2, 4, 8))
        damaged[at : at + width] = chance.choice((b"\xff", b"\0", b"\x7f", b"\x80"))[:1] * width
    return bytes(damaged)


def shuffled(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """A piece is moved, repeated or taken out."""
    one, two = sorted((chance.randrange(len(data)), chance.randrange(len(data))))
    piece, to = data[one:two], chance.randrange(len(data))
    return chance.choice(
        (data[:one] + data[two:], data[:two] + piece * chance.randint(1, 4) + data[two:], data[:to] + piece + data[to:])
    )[:_LONGEST]


def odd_words(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Numbers and signs that text formats choke on, put anywhere."""
    damaged = data
    for _step in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged) + 1)
        damaged = damaged[:at] + chance.choice(_WORDS) + damaged[at + chance.randint(0, 6) :]
    return damaged


def other_digits(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Other digits in the place of digits: the form holds, so the damage gets far in."""
    damaged = bytearray(data)
    places = [at for at, byte in enumerate(damaged) if 0x30 <= byte <= 0x39]
    for at in chance.choices(places, k=chance.randint(1, 6)) if places else []:
        damaged[at] = 0x30 + chance.randrange(10)
    return bytes(damaged)


def swapped(chance: Random, _: bytes, others: Sequence[bytes]) -> bytes:
    """The file of another format, or its beginning with this one's end."""
    return chance.choice(others)


def spliced(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The beginning of one file and the end of another."""
    other = chance.choice(others)
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


def noise(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Random bytes of any length."""
    return chance.randbytes(chance.choice((0, 1, 16, 100, 5000)))


def bomb(chance: Random, data: bytes, _: Sequence[bytes]) -> bytes:
    """Small files that unpack, nest or repeat without end."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("rain.json", b"0" * (2 << 20))
    depth = chance.choice((100, 10_000, 200_000))
    return chance.choice(
        (
            archive.getvalue(),
            gzip.compress(b"0" * (2 << 20)),
            b"[" * depth + b"]" * depth,
            b'{"a":' * depth,
            b"<a>" * depth + b"</a>" * depth,
            b"<a " + b" ".join(b'b%d="c"' % number for number in range(depth)) + b"/>",
            _nested_entities(),
            _nested_entities().decode().encode("utf-16"),
            _outside(),
            b"area,start,end,mm,kind\n" + b"9" * (1 << 20),
            b"1" * (1 << 20),
        )
    )


MUTATIONS: tuple[Mutation, ...] = (
    truncated,
    flipped,
    random_header,
    extreme_bytes,
    shuffled,
    odd_words,
    other_digits,
    swapped,
    spliced,
    noise,
    bomb,
)


def _nested_entities() -> bytes:
    """Ten entities, each ten times the one before."""
    names = "abcdefghij"
    told = [f'<!ENTITY {one} "{f"&{other};" * 10}">' for other, one in pairwise(names)]
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "lol">{"".join(told)}]><x>&j;</x>'.encode()


def _outside() -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><x>&a;</x>'


def damaged(seed: int, data: bytes, others: Sequence[bytes]) -> tuple[str, bytes]:
    """The name of the mutation and the damaged file that this seed makes of `data`."""
    chance = Random(seed)
    chosen = chance.choice(MUTATIONS)
    return chosen.__name__, chosen(chance, data, others)
