"""RSS and Atom feeds of CAP messages → the addresses of the messages, each with a mark that changes with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import SplitResult, urljoin, urlsplit

from lxml import etree

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import Refused
from geowarn.ports import FeedLink
from geowarn.sources.cap_message import parsed

MOST_ENTRIES = 200
_ATOM = "{http://www.w3.org/2005/Atom}"
_CAP_TYPES = ("application/cap+xml", "application/common-alerting-protocol+xml")
_OTHER_TYPES = ("", "application/xml", "text/xml")
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"
_LONGEST = 600  # characters of an address


class CapFeedReader:
    """`geowarn.ports.FeedReader` for RSS 2.0, RSS 1.0 and Atom."""

    def links(self, data: bytes, address: str, hosts: Sequence[str]) -> tuple[FeedLink, ...]:
        """The messages it names, in its order; raises Refused for a feed that is none, or that leads elsewhere.

        In RSS an item's link is the message; in Atom the link of a CAP type, else one of no type or of XML. An entry
        without such a link is passed over; one whose link is no address is named as unsound. A feed without any entry
        is in order: nothing is in force.
        """
        root = parsed(data, address, True)
        found: dict[str, FeedLink] = {}
        for link, dates in _entries(root, address):
            mark = sha256_hex(canonical_json(dates))[:16]
            try:
                target = urljoin(address, link)
                theirs = urlsplit(target)
            except ValueError:  # [ without ], characters that would change the host
                found.setdefault(link[:_LONGEST], FeedLink(link[:_LONGEST], mark, sound=False))
                continue
            if not target or len(target) > _LONGEST:
                continue
            _refuse_elsewhere(address, theirs, hosts)
            found.setdefault(target, FeedLink(target, mark))
        if len(found) > MOST_ENTRIES:
            raise Refused("issuers.too-many-entries", file=address, count=len(found), limit=MOST_ENTRIES)
        return tuple(found.values())


def _entries(root: etree._Element, address: str) -> Iterator[tuple[str, list[str]]]:
    """Link and what tells of a change, for each entry."""
    if root.tag == f"{_ATOM}feed":
        for entry in root.iterfind(f"{_ATOM}entry"):
            if link := _atom_link(entry):
                yield link, _texts(entry, f"{_ATOM}updated", f"{_ATOM}id")
        return
    if root.tag not in ("rss", _RDF):
        raise Refused("issuers.not-a-feed", file=address, value=str(root.tag)[:80])
    for item in root.iterfind(".//{*}item"):
        if link := (item.findtext("{*}link") or "").strip():
            yield link, _texts(item, "{*}pubDate", "{*}guid", "{*}date", f"{_ATOM}updated")


def _atom_link(entry: etree._Element) -> str:
    links = [
        link for link in entry.iterfind(f"{_ATOM}link") if link.get("rel", "alternate") in ("alternate", "enclosure")
    ]
    for types in (_CAP_TYPES, _OTHER_TYPES):
        for link in links:
            if link.get("type", "").split(";")[0].strip().lower() in types:
                return (link.get("href") or "").strip()
    return ""


def _texts(entry: etree._Element, *names: str) -> list[str]:
    return [" ".join((entry.findtext(name) or "").split())[:_LONGEST] for name in names]


def _refuse_elsewhere(address: str, theirs: SplitResult, hosts: Sequence[str]) -> None:
    """A feed may not send us to a host, or down to a scheme, that its table does not allow."""
    ours = urlsplit(address)
    same = (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
    allowed = theirs.hostname in hosts and theirs.scheme == "https" and not theirs.username
    if not same and not allowed:
        raise Refused("issuers.elsewhere", file=address, to=f"{theirs.scheme}://{theirs.hostname}"[:120])
