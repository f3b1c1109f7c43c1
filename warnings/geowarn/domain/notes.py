"""What a step had to note, kept as a catalogue key with facts so that it can be said in any language."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode


def note(key: str, /, **facts: object) -> str:
    """One note, for example `sources.note-clipped?cells=12&most=0.09`."""
    return f"{key}?{urlencode({name: str(value) for name, value in facts.items()})}"


def parse_note(text: str) -> tuple[str, dict[str, str]]:
    """Catalogue key and facts of a note made by `note`."""
    key, _, query = text.partition("?")
    return key, dict(parse_qsl(query, keep_blank_values=True))
