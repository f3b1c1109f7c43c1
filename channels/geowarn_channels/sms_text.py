"""How many units and parts a text costs on the air (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"
_SEPTETS = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENSION, 2)

# encoding -> units of a single message, units of each part of a longer one (the header takes the rest)
ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True, slots=True)
class SmsSize:
    """What a text costs: septets or UTF-16 code units, and parts."""

    encoding: str  # "GSM-7" or "UCS-2"
    units: int
    parts: int

    def room(self, parts: int) -> int:
        """Units that fit into so many parts of this encoding."""
        single, each = ROOM[self.encoding]
        return single if parts <= 1 else each * parts


def size(text: str) -> SmsSize:
    """Count a text; a character that costs two units never straddles two parts. Source: 23.038 section 6."""
    if all(character in _SEPTETS for character in text):
        return _size("GSM-7", [_SEPTETS[character] for character in text])
    return _size("UCS-2", [2 if ord(character) > 0xFFFF else 1 for character in text])


def _size(encoding: str, costs: list[int]) -> SmsSize:
    single, each = ROOM[encoding]
    units = sum(costs)
    if units <= single:
        return SmsSize(encoding, units, 1)
    return SmsSize(encoding, units, _parts(costs, each))


def _parts(costs: Iterable[int], each: int) -> int:
    parts, used = 1, 0
    for cost in costs:
        if used + cost > each:
            parts, used = parts + 1, 0
        used += cost
    return parts
