"""`geowarn demo`: the whole line on embedded defaults, with a labelled synthetic storm."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import requests
import typer

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.demo import play, report
from geowarn.demo.setting import demo_facts, open_demo, password_of, put_on_duty
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import UNREPORTED, DispatchState
from geowarn.domain.errors import Refused
from geowarn.serving import running

_PATIENCE = 120.0  # seconds until the demo stops waiting for receipts


def run_demo(folder: Path, port: int, auto: bool, stop: threading.Event) -> None:
    """Open or make the demo in `folder`; `auto` plays the officers and ends, else serve until stopped."""
    language = terminal_language()
    typer.echo(say("demo.label", language))
    typer.echo(say("demo.preparing", language, folder=str(folder)))
    system = open_demo(folder, port)
    try:
        _whole_line(system, auto, stop, language)
    finally:
        system.store.dispose()  # folds the log into geowarn.db, so that the file alone is a whole copy


def _whole_line(system: System, auto: bool, stop: threading.Event, language: str) -> None:
    put_on_duty(system)
    address = urlsplit(system.settings.site.public_url)
    with far_end(system), running(system, "127.0.0.1", address.port or 80):
        run = play.storm_comes(system)
        report.put(report.levels_table(system, run, language))
        proposal = play.proposal_rises(system, run)
        if auto:
            if proposal is None:
                raise Refused("demo.nothing-rises", folder=str(system.data_dir))
            _play_officers(system, proposal.warning_id, proposal.package_sha256, language)
        else:
            _invite(system, language)
            while not stop.wait(0.5):
                pass


def _play_officers(system: System, warning_id: str, digest: str, language: str) -> None:
    signed = play.officers_sign(system, warning_id)
    report.put(report.signatures_table(signed, digest, language))
    bulletin = play.officer_releases(system, warning_id)
    typer.echo(say("demo.released", language, number=bulletin.number, sent=bulletin.late["sent"]))
    stations_poll(system)
    _wait(system, bulletin)
    report.put(report.channels_table(system, bulletin, language))
    typer.echo(say("demo.public-at", language, folder=str(system.public_dir)))


def stations_poll(system: System) -> None:
    """The demo's stations fetch their items as a broadcaster's machine would, until the new one is there."""
    for name in demo_facts()["stations"]:
        threading.Thread(target=_poll, args=(system, name), daemon=True).start()


def _poll(system: System, station: str) -> None:
    url = f"{system.settings.site.public_url}/broadcast/v1/items"
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(30):
            with suppress(requests.RequestException):  # a busy machine was late, or the demo has ended
                session.get(url, headers={"Authorization": f"Bearer {password_of(station)}"}, timeout=5)
            time.sleep(1)


def _wait(system: System, bulletin: Bulletin) -> None:
    """Wait until every target has its message, or patience ends."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        with system.store.read() as work:
            counts = work.dispatches.counts(bulletin.id)
        pending = {DispatchState.NEW, DispatchState.SENDING, DispatchState.IN_DOUBT}
        waits = {name: pending | (set() if name in UNREPORTED else {DispatchState.ACCEPTED}) for name in counts}
        if not any(waits[name].intersection(states) for name, states in counts.items()):
            return
        time.sleep(0.2)


@contextmanager
def far_end(system: System) -> Iterator[None]:
    """The loopback stand-ins of SMS provider and mail server, as a process of their own that ends with this one."""
    sms = system.settings.sms
    command = [sys.executable, "-m", "geowarn.demo.standin", "--port", str(urlsplit(sms.base_url).port)]
    command += ["--state", str(system.data_dir / "demo" / "standin.jsonl"), "--stop-with-stdin"]
    command += ["--account-sid", sms.account_sid, "--auth-token", sms.auth_token]
    if "mail" in system.facts["channels"]["enabled"]:
        command += ["--mail-port", str(system.settings.mail.port), "--mail", str(system.data_dir / "demo" / "mail")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603
        if process.stdout is None or not process.stdout.readline():
            raise Refused("demo.no-far-end", port=urlsplit(sms.base_url).port)
        try:
            yield
        finally:
            process.terminate()


def _invite(system: System, language: str) -> None:
    site = system.settings.site.public_url
    typer.echo(say("demo.addresses", language, site=site))
    with system.store.read() as work:
        people = [user for user in work.users.all() if user.password_hash]
    for user in people:
        password = password_of(user.name)
        typer.echo(say("demo.log-in", language, name=user.display(language), user=user.name, password=password))
    typer.echo(say("demo.stop", language))
    try:
        webbrowser.get()
    except webbrowser.Error:
        return
    webbrowser.open(f"{site}/console/")
