"""Wires the taking in of other issuers' messages: plan, reader, verifier, network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geowarn.bootstrap import System, config_file
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.issuers import Issuer
from geowarn.pipeline.issuer_plan import load_issuers
from geowarn.pipeline.issuers import IssuerDesk
from geowarn.plugins import Broken, adapters
from geowarn.ports import MessageVerifier
from geowarn.settings import Settings
from geowarn.sources.cap_feed import CapFeedReader
from geowarn.sources.cap_message import CapMessageReader
from geowarn.sources.fetch_issuer import HttpCarrier


def _verifier() -> MessageVerifier | None:
    found = adapters("geowarn.verifiers").get("cap")
    if isinstance(found, Broken):
        raise found.refusal()
    verifier: MessageVerifier | None = found
    return verifier


def issuers_of(data_dir: Path | None, settings: Settings) -> tuple[Issuer, ...]:
    """The configured feeds by name; raises Refused naming file, feed, key, value and what fits."""
    keys = (data_dir or Path()) / "keys"
    return load_issuers(config_file(data_dir, "issuers.toml"), keys, _verifier(), (settings.cap.sender,))


def issuer_of(system: System, name: str) -> Issuer:
    """One enabled feed; raises Refused."""
    found = {issuer.name: issuer for issuer in issuers_of(system.data_dir, system.settings)}
    if name not in found:
        raise NotFound("issuers.unknown", issuer=name, known=", ".join(found) or "-")
    if not found[name].enabled:
        raise Refused("issuers.disabled", issuer=name)
    return found[name]


def issuer_desk(system: System, stopped: Callable[[float], bool] = lambda _: False) -> IssuerDesk:
    """The ports of taking in others' messages; `stopped` as in `ports.Errand`. Raises Refused without a verifier."""
    verifier = _verifier()
    if verifier is None:
        raise Refused("issuers.no-verifier")
    return IssuerDesk(
        store=system.store,
        clock=system.clock,
        reader=CapMessageReader(verifier),
        feeds=CapFeedReader(),
        carrier=HttpCarrier(stopped),
        raw_dir=system.raw_dir,
        inbox=system.data_dir / "inbox",
    )
