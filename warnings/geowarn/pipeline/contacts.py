"""The register of places that must answer (叫应): taken in from a CSV as one whole, numbers sealed at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geowarn.domain.area import by_code
from geowarn.domain.calls import Contact, county_of
from geowarn.domain.canonical import sha256_hex
from geowarn.pipeline.contact_file import Row, read_contacts
from geowarn.ports import Clock, Store, Vault


@dataclass(frozen=True, slots=True)
class Registered:
    """What an import did: contacts and places of the file, places that are new, places that are gone."""

    contacts: int
    places: int
    added: int
    removed: int


def place_id(area: str, kind: str, name_zh: str) -> str:
    """The same place has the same id in every file."""
    return f"cp-{sha256_hex(f'{area}|{kind}|{name_zh}')[:12]}"


def import_contacts(store: Store, vault: Vault, clock: Clock, file: Path, actor_text: str) -> Registered:
    """Let the register hold exactly what a CSV `area,kind,name_zh,name_en,place,order,phone` says, or change nothing.

    Who is not in the file is forgotten with their number, in what was called before too, and with the name of who
    answered there; calls that wait now call the numbers of the new register.
    Raises Refused naming every bad row.
    """
    with store.begin() as work:
        areas = by_code(work.areas.plain())
        rows = read_contacts(file, areas)
        made = [_contact(vault, row, county_of(row.area, areas)) for row in rows]
        before = {contact.place for contact in work.contacts.first()}
        after = {contact.place for contact in made}
        work.contacts.replace_all(made)
        work.calls.forget_unregistered()
        done = Registered(len(made), len(after), len(after - before), len(before - after))
        facts = {"file": file.name, "rows": done.contacts, "places": done.places}
        facts |= {"added": done.added, "removed": done.removed}
        work.ledger.append(clock.now(), actor_text, "contacts.imported", "contacts", facts)
        work.commit()
    return done


def _contact(vault: Vault, row: Row, county: str) -> Contact:
    return Contact(
        place=place_id(*row.place),
        area=row.area,
        county=county,
        kind=row.kind,
        name_zh=row.name_zh,
        name_en=row.name_en,
        where=row.where,
        number=row.order,
        phone_key=vault.key_of(row.phone),
        phone_sealed=vault.seal(row.phone),
        phone_masked=row.masked,
    )
