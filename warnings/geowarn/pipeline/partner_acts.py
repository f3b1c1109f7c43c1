"""What a partner does by a call: co-sign, and report what became of a message."""

from __future__ import annotations

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.partner import ApiKey, call_digest
from geowarn.domain.people import Role, SignOff
from geowarn.domain.policy import valid
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.airing import note_airing
from geowarn.pipeline.desk import Desk, newest
from geowarn.pipeline.gathering import Report
from geowarn.pipeline.partner_keys import parse_call_signature
from geowarn.pipeline.receipts import record_reports
from geowarn.pipeline.signoff import sign
from geowarn.ports import Clock, Store, UnitOfWork, Vault

SLACK = timedelta(minutes=5)  # between the signature's time and ours
# Only what we have handed over can have arrived.
_SENT = frozenset(
    {
        DispatchState.SENDING,
        DispatchState.ACCEPTED,
        DispatchState.DELIVERED,
        DispatchState.FAILED,
        DispatchState.IN_DOUBT,
    }
)


def check_call(
    store: Store, clock: Clock, vault: Vault, key: ApiKey, method: str, path: str, header: str, body: bytes
) -> None:
    """Believe a signed call: the key's second secret over method, path, time, nonce and body, each nonce once.

    `path` is the target as sent, with its query. Raises Refused for a missing, wrong, old or repeated signature. The
    nonce is spent even where the act is then refused.
    """
    if key.signing_sealed is None:
        raise Refused("partners.not-signed")
    at, nonce, digest = parse_call_signature(header)
    expected = call_digest(vault.open(key.signing_sealed), method, path, at, nonce, body)
    if not hmac.compare_digest(expected, digest):
        raise Refused("partners.bad-signature")
    now = clock.now()
    if abs(now - datetime.fromtimestamp(at, UTC)) > SLACK:
        raise Refused(
            "partners.old-signature", minutes=int(SLACK.total_seconds() // 60), now=now.isoformat("T", "seconds")
        )
    with store.begin() as work:
        if not work.api_keys.take_nonce(key.id, nonce, now, now - 3 * SLACK):
            raise Refused("partners.replayed")
        work.commit()


def cosign(desk: Desk, warning_id: str, package_sha256: str, actor: Actor, code: str = "") -> SignOff:
    """Co-sign exactly these bytes for the observatory, and in no other role the person may hold.

    A key is held by a machine, so it is never a person's second factor: at the levels where the policy asks for one,
    `code` is asked for as everywhere. Co-signing the same bytes again is the same act and returns the same signature.
    """
    actor.need_somewhere(Role.OBSERVATORY)
    observer = replace(actor, user=replace(actor.user, roles=frozenset({Role.OBSERVATORY})))
    standing = _standing(desk, warning_id, package_sha256, actor)
    if standing is not None:
        return standing
    try:
        return sign(desk, warning_id, observer, package_sha256, code)
    except Refused as refusal:
        standing = _standing(desk, warning_id, package_sha256, actor)  # the same call, sent twice at once
        if refusal.key != "signoff.already" or standing is None:
            raise
        return standing


def _standing(desk: Desk, warning_id: str, package_sha256: str, actor: Actor) -> SignOff | None:
    with desk.store.read() as work:
        proposal = newest(work, warning_id)
        found = valid(work.signoffs.of_proposal(proposal.id), package_sha256) if proposal else ()
    mine = (one for one in found if one.user == actor.user.name and one.via == actor.via)
    return next((one for one in mine if one.role is Role.OBSERVATORY), None)


def report_delivered(store: Store, clock: Clock, partner: str, slug: str, prefix: str) -> tuple[Dispatch, ...]:
    """A partner says that the bulletin arrived at its own targets; a state is never lowered.

    Returns the rows as they stand now. Raises NotFound for an unknown bulletin or a partner it did not go to, Refused
    for a row that was never handed over.
    """
    with store.read() as work:
        rows = _own_rows(work, partner, slug)
    unsent = [row for row in rows if row.state not in _SENT]
    if unsent:
        raise Refused("partners.never-sent", partner=partner, bulletin=slug, state=unsent[0].state.value)
    for channel in sorted({row.channel for row in rows}):
        reports = [Report(row.id, "", "delivered") for row in rows if row.channel == channel]
        if record_reports(store, clock, channel, reports):
            _enter(store, clock, partner, slug, prefix, channel)
    with store.read() as work:
        return _own_rows(work, partner, slug)


def _enter(store: Store, clock: Clock, partner: str, slug: str, prefix: str, channel: str) -> None:
    with store.begin() as work:
        bulletin = work.bulletins.by_slug(slug)
        subject = bulletin.warning_id if bulletin else slug
        facts = {"slug": slug, "partner": partner, "channel": channel}
        work.ledger.append(clock.now(), f"partner {partner} (api, {prefix})", "bulletin.receipt", subject, facts)
        work.commit()


def report_aired(
    store: Store, clock: Clock, partner: str, slug: str, at: datetime, medium: str
) -> tuple[Dispatch, ...]:
    """A partner says when and on which medium the bulletin was aired; said again it changes nothing."""
    with store.begin() as work:
        rows = _own_rows(work, partner, slug)
        if note_airing(work, partner, slug, at, medium, clock.now()):
            work.commit()
    return rows


def _own_rows(work: UnitOfWork, partner: str, slug: str) -> tuple[Dispatch, ...]:
    bulletin = work.bulletins.by_slug(slug)
    rows = work.dispatches.of_bulletin(bulletin.id) if bulletin is not None else ()
    own = tuple(row for row in rows if row.target_key == partner)
    if not own:
        raise NotFound("partners.not-yours", partner=partner, bulletin=slug)
    return own
