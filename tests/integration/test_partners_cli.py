"""`geowarn partners`: a key is shown once and works; a subscription is added, tested, listed and removed."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from geowarn.bootstrap import System
from geowarn.cli import app
from geowarn.domain.errors import Refused
from geowarn.pipeline.partner_keys import admit


def run(folder: Path, *words: str) -> str:
    """The command's output; a refusal is raised as the program's `main` catches it."""
    done = CliRunner().invoke(app, ["partners", *words, "--data", str(folder)])
    if isinstance(done.exception, Refused):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def refusal(folder: Path, *words: str) -> str:
    try:
        run(folder, *words)
    except Refused as refused:
        return refused.key
    return ""


def test_keys(demo_system: System) -> None:
    folder, system = demo_system.data_dir, demo_system
    made = json.loads(run(folder, "key", "add", "--account", "observatory", "--scope", "cosign", "--json"))
    assert made["signing_secret"]
    assert admit(system.store, system.clock, made["key"]).key.owner == "observatory"
    (listed,) = json.loads(run(folder, "key", "list", "--json"))
    assert (listed["prefix"], listed["state"]) == (made["key"][:10], "active")
    assert made["key"] not in run(folder, "key", "list")
    run(folder, "key", "revoke", made["prefix"])
    assert json.loads(run(folder, "key", "list", "--json"))[0]["state"] == "revoked"
    assert refusal(folder, "key", "revoke", "k-none") == "partners.unknown-key"
    assert refusal(folder, "key", "add", "--scope", "read") == "partners.one-owner"


def test_subscriptions(demo_system: System) -> None:
    folder = demo_system.data_dir
    words = ("--partner", "city-site", "--event", "bulletin.released", "--test")
    made = json.loads(run(folder, "hook", "add", "http://127.0.0.1:9/x", *words, "--json"))
    assert made["secret"]
    assert refusal(folder, "hook", "add", "https://partner.example/", *words) == "partners.hook-synthetic"
    assert refusal(folder, "hook", "test", made["id"]) == "partners.ping-failed"
    (listed,) = json.loads(run(folder, "hook", "list", "--json"))
    assert (listed["owner"], listed["live"], listed["last"]["event"]) == ("city-site", False, "ping")
    assert made["secret"] not in run(folder, "hook", "list")
    run(folder, "hook", "enable", made["id"])
    run(folder, "hook", "remove", made["id"])
    assert json.loads(run(folder, "hook", "list", "--json")) == []
