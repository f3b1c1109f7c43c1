"""Fills an empty folder with a demo installation: labelled people, numbers, stations and hazard points."""

from __future__ import annotations

import csv
import hashlib
import itertools
import secrets
import socket
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.bootstrap import System, open_system
from geowarn.demo.register import register
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.roster import band_window
from geowarn.installation import create_installation
from geowarn.pipeline.areas import import_areas
from geowarn.pipeline.demo_factor import enrol_published
from geowarn.pipeline.people import add_user, assign_shift, set_password
from geowarn.pipeline.phones import set_phone
from geowarn.pipeline.recipients import import_recipients
from geowarn.resources import config_dir
from geowarn.security import hash_password

ACTOR = "demo"
ACCOUNT = "AC" + "0" * 32
_CONSENT = "demo"

_SETTINGS = """# A demo installation: synthetic input, loopback targets only. Never point it at real people.
[installation]
synthetic = true

[site]
public_url = "http://127.0.0.1:{port}"

[cap]
sender = "demo@geowarn.invalid"
signature = "required"

[sms]
base_url = "http://127.0.0.1:{standin}"
account_sid = "{account}"
auth_token = "{token}"
sender = "+12025550100"
segments_per_second = 200.0

[mail]
host = "127.0.0.1"
port = {mail}
security = "none"
sender = "warnings@geowarn.invalid"

[exercise]
sms_base_url = "http://127.0.0.1:{standin}"
sms_account_sid = "{account}"
sms_auth_token = "{token}"
sms_sender = "+12025550199"
mail_host = "127.0.0.1"
mail_port = {mail}
mail_security = "none"
mail_sender = "exercise@geowarn.invalid"

[web]
secure_cookie = false
second_factor = "at-signing"   # everyone may know the demo's secrets, so a code at log-in would prove nothing
"""


def demo_facts() -> dict[str, Any]:
    """What `config/demo/demo.toml` says."""
    return tomllib.loads((config_dir() / "demo" / "demo.toml").read_text("utf-8"))


def password_of(name: str) -> str:
    """The log-in of a demo account: everyone may know it."""
    return f"geowarn-demo-{name}"


def free_port() -> int:
    """A port of the loopback interface that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def open_demo(folder: Path, port: int) -> System:
    """The demo installation in `folder`, made when the folder is new or empty.

    Raises Refused for a folder that holds anything but a demo installation.
    """
    if folder.exists() and any(folder.iterdir()):
        system = open_system(folder)
        if not system.settings.installation.synthetic:
            raise Refused("demo.not-a-demo", folder=str(folder))
        return system
    ports = {"port": port or free_port(), "standin": free_port(), "mail": free_port()}
    note = _SETTINGS.format(**ports, account=ACCOUNT, token=secrets.token_hex(16))
    create_installation(folder, "admin", ACTOR, note)
    _stations(folder)
    system = open_system(folder)
    _people(system)
    _points(system, folder)
    _recipients(system, folder)
    register(system, folder)
    return system


def _stations(folder: Path) -> None:
    lines = ['enabled = ["website", "sms", "broadcast", "mail"]', ""]
    for name, station in demo_facts()["stations"].items():
        digest = hashlib.sha256(password_of(name).encode()).hexdigest()
        lines += [f"[stations.{name}]", f'name_zh = "{station["name_zh"]}"', f'name_en = "{station["name_en"]}"']
        lines += [f'key_sha256 = "{digest}"', "live = false", ""]
    (folder / "config" / "channels.toml").write_text("\n".join(lines), encoding="utf-8")


def _people(system: System) -> None:
    for person in demo_facts()["people"]:
        add_user(
            system.store,
            system.clock,
            hash_password,
            person["name"],
            person["display_zh"],
            person["display_en"],
            [person["role"]],
            password_of(person["name"]),
            ACTOR,
        )
        set_phone(system.store, system.vault, system.clock, person["name"], person["phone"], ACTOR)
    set_password(system.store, system.clock, hash_password, "admin", password_of("admin"), ACTOR)
    with system.store.begin() as work:
        for person in demo_facts()["people"]:
            enrol_published(work, system.vault, person["name"], system.clock.now())
        work.commit()


def put_on_duty(system: System) -> None:
    """The demo officer is on shift for the next day, whenever the demo is opened, and others for the week after."""
    now = system.clock.now()
    with system.store.read() as work:
        covered = work.shifts.at(now + timedelta(hours=12))
    if covered:
        return
    start = now.replace(minute=0, second=0, microsecond=0)
    end = start + timedelta(hours=36)
    _shift(system, "duty", "duty-b", start, end)
    bands = [
        band_window((start + timedelta(days=n)).date(), band, ZoneInfo(system.settings.installation.zone))
        for n in range(10)
        for band in system.roster_desk.rules.bands
    ]
    pairs = itertools.cycle([("duty-c", "duty-b"), ("duty", "duty-c"), ("duty-b", "duty")])
    for _, until in bands:
        if until > end:
            _shift(system, *next(pairs), end, until)
            end = until


def _shift(system: System, officer: str, deputy: str, start: datetime, end: datetime) -> None:
    assign_shift(system.store, system.clock, officer, deputy, start, end, ACTOR, "leader")


def _points(system: System, folder: Path) -> None:
    file = folder / "demo" / "hazard-points.csv"
    file.parent.mkdir(exist_ok=True)
    columns = ("code", "kind", "name_zh", "name_en", "parent", "lon", "lat", "population", "class")
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for point in demo_facts()["points"]:
            writer.writerow({**point, "kind": "point", "population": "", "class": ""})
    import_areas(system.store, system.clock, [file], ACTOR)


def _numbers() -> Iterator[str]:
    for code in demo_facts()["recipients"]["area_codes"]:
        for last in range(100):
            yield f"+1{code}55501{last:02d}"


def _recipients(system: System, folder: Path) -> None:
    facts = demo_facts()["recipients"]
    with system.store.read() as work:
        places = [area for area in work.areas.all() if area.kind is not AreaKind.CITY]
    # Hazard points first, so that the smallest tier is never empty.
    places.sort(key=lambda area: (area.kind is not AreaKind.POINT, area.kind is not AreaKind.COUNTY, area.code))
    file = folder / "demo" / "recipients.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(("phone", "area", "language", "role", "consent"))
        for index, number in enumerate(_numbers()):
            place = places[index % len(places)]
            language = "en" if index % facts["english_every"] == 0 else "zh"
            writer.writerow((number, place.code, language, _role(place, index, facts["subscribers_every"]), _CONSENT))
        group = demo_facts()["exercise"]
        for index, area in enumerate(group["areas"] * group["each"]):
            language = "en" if index < len(group["areas"]) else "zh"
            writer.writerow((f"+1{group['area_code']}55501{index:02d}", area, language, "exercise", _CONSENT))
    import_recipients(system.store, system.vault, system.clock, file, ACTOR)


def _role(place: Area, index: int, every: int) -> str:
    if place.kind is AreaKind.POINT:
        return "resident"
    return "subscriber" if index % every == 0 else "resident"
