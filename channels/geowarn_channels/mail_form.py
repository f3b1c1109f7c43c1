"""One mail as bytes: headers and two parts that say the same, the same input always giving the same bytes.

Every line is ASCII and short, so that any server takes it (RFC 5321, 5322, 2045). What tells machines what it is:
List-Id (RFC 2919), List-Unsubscribe with one click (RFC 2369, 8058), Auto-Submitted (RFC 3834), Precedence, and
X-Auto-Response-Suppress for servers that know only that.
"""

from __future__ import annotations

from base64 import encodebytes
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr

_LANGUAGES = {"zh": "zh-CN", "en": "en"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes; `name` by language."""

    address: str
    names: dict[str, str]
    reply_to: str = ""

    @property
    def domain(self) -> str:
        """Ours in Message-ID and List-Id."""
        return self.address.rpartition("@")[2].lower()

    def message_id(self, key: str) -> str:
        """The same for the same message, so that a repeat is recognised as one."""
        return f"<{key}@{self.domain}>"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one mail says, and to whom; `leave` is the address that ends the subscription."""

    key: str
    to: str = field(repr=False)
    language: str
    subject: str
    text: str
    html: str
    at: datetime
    of_list: bool = True
    leave: str = field(default="", repr=False)
    urgent: bool = False


def whole(sender: Sender, sheet: Sheet) -> bytes:
    """The mail, lines ending in CR LF."""
    boundary = f"=_{sheet.key}"
    head = "".join(f"{name}: {value}\r\n" for name, value in _headers(sender, sheet, boundary))
    parts = "".join(
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        f"Content-Language: {_LANGUAGES[sheet.language]}\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{_packed(body)}\r\n"
        for kind, body in (("plain", sheet.text), ("html", sheet.html))
    )
    return f"{head}\r\n{parts}--{boundary}--\r\n".encode("ascii")


def _headers(sender: Sender, sheet: Sheet, boundary: str) -> list[tuple[str, str]]:
    name = sender.names[sheet.language]
    found = [
        ("From", _named(name, sender.address)),
        ("To", sheet.to),
        ("Subject", _encoded(sheet.subject, len("Subject: "))),
        ("Date", format_datetime(sheet.at)),
        ("Message-ID", sender.message_id(sheet.key)),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ]
    if sender.reply_to:
        found.append(("Reply-To", sender.reply_to))
    if sheet.of_list:
        found += [("List-Id", f"{_encoded(name, len('List-Id: '))} <warnings.{sender.domain}>"), ("Precedence", "bulk")]
    if sheet.leave:
        found.append(("List-Unsubscribe", f"<{sheet.leave}>"))
        if sheet.leave.startswith("https://"):  # RFC 8058 section 3.1: one click needs HTTPS
            found.append(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if sheet.urgent:
        found += [("Importance", "high"), ("X-Priority", "1")]
    return found


def _named(name: str, address: str) -> str:
    return formataddr((name, address)) if name.isascii() else f"{_encoded(name, len('From: '))} <{address}>"


def _encoded(text: str, taken: int) -> str:
    """Folded, in encoded words where it is not ASCII (RFC 2047); its own line ends would begin another header."""
    plain = " ".join(text.split())
    return Header(plain, "us-ascii" if plain.isascii() else "utf-8", maxlinelen=75, header_name="x" * taken).encode(
        linesep="\r\n"
    )


def _packed(body: str) -> str:
    """In base64, lines of 76 characters; text has CR LF as its line ends."""
    lines = "\r\n".join(body.splitlines()) + "\r\n"
    return encodebytes(lines.encode()).decode("ascii").replace("\n", "\r\n")
