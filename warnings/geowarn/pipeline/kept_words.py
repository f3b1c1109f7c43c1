"""What a person writes for the ledger, which keeps it for good: bounded, and without a telephone number."""

from __future__ import annotations

import re

from geowarn.domain.errors import Refused

LONGEST = 500  # characters
_PHONE = re.compile(r"(?<!\d)\+?\d(?:[ -]?\d){6,}(?!\d)")
# Digits in groups that are no telephone number; where more digits adjoin, they may well be one.
_CLOCK = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?"
_DAY = r"(?:19|20)\d\d-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])"
_MOMENT = rf"{_DAY}(?:[ T]{_CLOCK}(?:-{_CLOCK})?)?"
_SHORT_DAY = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_RUN = rf"{_SHORT_DAY}(?:[ T]{_CLOCK}|[ T]?(?:[01]\d|2[0-4])(?:[0-5]\d){{0,2}})?"
_NUMBER = r"20\d\d-\d{3}"  # of a bulletin
_HARMLESS = re.compile(
    rf"(?<!\d)(?<!\d-)(?:{_MOMENT}(?:-{_MOMENT})?|{_NUMBER})(?!-?\d)"
    rf"|(?<!\d)(?<!\d[ -]){_RUN}(?:[ -]+{_RUN})?(?![ -]?\d)"
)


def kept_words(text: str, field: str, lacking: str = "counsel.text") -> str:
    """The text as it is kept, in one line; raises Refused (`lacking` where empty or too long) (house rule 14)."""
    said = " ".join(text.split())
    if not said or len(said) > LONGEST:
        raise Refused(lacking, field=field, longest=LONGEST)
    if _PHONE.search(_HARMLESS.sub("·", said)):
        raise Refused("counsel.phone", field=field)
    return said
