"""Asking a person to sign from the telephone → a code for exactly these bytes, and the one signature it makes.

The code is bound to person and package, lives for minutes and counts once; wrong ones are counted. It is kept nowhere:
the store holds a keyed hash, the notice loses it when it is sent, ledger and logs never see it. Where the policy asks
for the second factor the code is not one: the generator's is asked for beside it.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from dataclasses import replace
from datetime import timedelta

from geowarn.domain.area import by_code
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role, SignOff, User
from geowarn.domain.policy import valid
from geowarn.domain.review import SignCode
from geowarn.domain.warning import Proposal, ProposalStatus, Series
from geowarn.pipeline.actor import Actor, codes_of, find_user, roles_over
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation import REVIEW, open_task
from geowarn.pipeline.escalation_acts import stands_in
from geowarn.pipeline.kept_words import kept_words
from geowarn.pipeline.notices import tell
from geowarn.pipeline.review import DECIDERS, close_review
from geowarn.pipeline.second_factor import prove, trying
from geowarn.pipeline.signoff import on_shift, put_signature
from geowarn.ports import UnitOfWork

NOTICE = "sign-code"
BY_CODE = "sms-code"  # what a signature names as its factor where the code alone is enough
VIA = "phone"
WORDINGS = 3  # approved wordings of the text: filters hold back what repeats
MOST_ASKED = 10  # codes for one person and one version
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_REFERENCE = 10  # of 31 letters: 49 bits
_DIGITS = 6


def ask(desk: Desk, warning_id: str, person: str, actor: Actor) -> SignCode:
    """Send a person who can sign now a code to do it with; earlier ones of theirs are dead.

    Raises Refused for a person who cannot sign, cannot be reached, or has been sent too many.
    """
    actor.need_somewhere(*DECIDERS)
    with desk.store.begin() as work:
        proposal = under_review(work, find_warning(work, warning_id).id)
        actor.need(*DECIDERS, work=work, areas=codes_of(proposal.content))
        made = _issue(desk, work, proposal, find_user(work, person), actor.label)
        work.commit()
    return made


def ask_again(desk: Desk, reference: str) -> SignCode:
    """Send the person of an earlier code a new one for the version under review now: asked for from the page."""
    with desk.store.begin() as work:
        held = _found(work, reference)
        proposal = under_review(work, held.warning_id)
        made = _issue(desk, work, proposal, find_user(work, held.user), f"{held.user} ({VIA})")
        work.commit()
    return made


def may_be_asked(desk: Desk, work: UnitOfWork, proposal: Proposal) -> tuple[User, ...]:
    """Who holds a role whose signature is missing, can be reached, and has not signed; deputies as on shift."""
    standing = valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    taken, signed = {s.role for s in standing}, {s.user for s in standing}
    free = {role for role in desk.policy.required(proposal.content) if role not in taken}
    known = by_code(work.areas.plain())
    task = open_task(work, REVIEW, proposal.warning_id)

    def can(user: User) -> bool:
        here = roles_over(user, known, codes_of(proposal.content))
        held = free.intersection(here | stands_in(desk, work, task, user))
        return bool(held - {Role.DUTY_OFFICER}) or (bool(held) and on_shift(work, user, desk.clock.now()))

    reachable = (user for user in work.users.all() if user.active and user.phone_sealed)
    return tuple(user for user in reachable if user.name not in signed and can(user))


def _issue(desk: Desk, work: UnitOfWork, proposal: Proposal, user: User, by: str) -> SignCode:
    if proposal.status is ProposalStatus.RETURNED:
        raise Refused("signoff.returned", warning=proposal.warning_id, reason=proposal.status_reason)
    if user.name not in {found.name for found in may_be_asked(desk, work, proposal)}:
        raise Refused("code.nobody-to-ask", user=user.name, version=proposal.version)
    earlier = [c for c in work.sign_codes.of_warning(proposal.warning_id) if c.user == user.name]
    if sum(code.proposal_id == proposal.id for code in earlier) >= MOST_ASKED:
        raise Refused("code.too-many", user=user.name, most=MOST_ASKED)
    now = desk.clock.now()
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    reference = "".join(secrets.choice(_LETTERS) for _ in range(_REFERENCE))
    made = SignCode(
        id=reference,
        code_key=_key(desk, reference, code),
        warning_id=proposal.warning_id,
        proposal_id=proposal.id,
        package_sha256=proposal.package_sha256,
        user=user.name,
        asked_by=by,
        asked_at=now,
        expires_at=now + timedelta(minutes=desk.policy.review.code_minutes),
    )
    work.sign_codes.end(proposal.warning_id, user.name, now)
    work.sign_codes.add(made)
    facts = {
        "code": code,
        "reference": reference,
        "level": proposal.content.highest.code,
        "version": proposal.version,
        "until": made.expires_at,
        "wording": len(earlier) % WORDINGS,
        "exercise": proposal.content.series is Series.EXERCISE,
        "by_reply": not desk.policy.asks_factor(proposal.content),
    }
    if not tell(work, user, NOTICE, f"{proposal.warning_id}/{reference}", facts, now, made.expires_at):
        raise Refused("code.unreachable", user=user.name)
    entry = {"person": user.name, "reference": reference, "version": proposal.version}
    more = {"package_sha256": proposal.package_sha256, "expires_at": made.expires_at.isoformat()}
    work.ledger.append(now, by, "sign-code.asked", proposal.warning_id, {**entry, **more})
    return made


def _key(desk: Desk, reference: str, code: str) -> str:
    return desk.vault.key_of(f"{NOTICE}\n{reference}\n{code}")


def _found(work: UnitOfWork, reference: str) -> SignCode:
    held = work.sign_codes.get(reference.strip().upper().replace("-", ""))
    if held is None:
        raise NotFound("code.unknown")
    return held


def find_code(work: UnitOfWork, reference: str) -> SignCode:
    """The code of this reference; raises NotFound."""
    return _found(work, reference)


def find_proposal(work: UnitOfWork, held: SignCode) -> Proposal:
    """The version that a code was made for."""
    return next(p for p in work.proposals.of_warning(held.warning_id) if p.id == held.proposal_id)


def refuse_dead(desk: Desk, work: UnitOfWork, held: SignCode) -> None:
    """Raise Refused for a code that was used, is past its time, guessed at too often, or replaced by a newer one."""
    if held.used_at is not None:
        raise Refused("code.used", user=held.user)
    if held.expires_at <= desk.clock.now():
        others = (code for code in work.sign_codes.of_warning(held.warning_id) if code.user == held.user)
        replaced = any(code.expires_at > held.expires_at for code in others)
        raise Refused("code.replaced" if replaced else "code.late", user=held.user)
    if held.tries >= desk.policy.review.code_tries:
        raise Refused("code.dead", user=held.user, tries=held.tries)


def _checked(desk: Desk, reference: str, code: str, visitor: User | None) -> tuple[SignCode, User]:
    """The code and its person, when what was typed is right; a wrong one is counted for good. Raises Refused."""
    with desk.store.begin() as work:
        held = _found(work, reference)
        if visitor is not None and visitor.name != held.user:
            raise Refused("code.other-person", user=visitor.name)
        refuse_dead(desk, work, held)
        narrow = "".join(unicodedata.normalize("NFKC", code).split())
        if not hmac.compare_digest(held.code_key, _key(desk, held.id, narrow)):
            work.sign_codes.count_try(held.id)
            left = desk.policy.review.code_tries - held.tries - 1
            facts = {"person": held.user, "reference": held.id, "left": left}
            work.ledger.append(desk.clock.now(), held.user, "sign-code.refused", held.warning_id, facts)
            work.commit()
            raise Refused("code.wrong", left=left)
        return held, find_user(work, held.user)


def _use(desk: Desk, work: UnitOfWork, held: SignCode) -> Proposal:
    """Use the code up for the version it was made for; raises Refused when that moved on or somebody was quicker."""
    refuse_dead(desk, work, replace(held, tries=0))
    proposal = under_review(work, held.warning_id)
    if proposal.id != held.proposal_id or proposal.package_sha256 != held.package_sha256:
        raise Refused("signoff.moved-on", version=proposal.version, digest=proposal.package_sha256[:12])
    if not work.sign_codes.use(held.id, desk.clock.now()):
        raise Refused("code.used", user=held.user)
    return proposal


def sign_by_code(
    desk: Desk, reference: str, code: str, origin: str, factor_code: str = "", visitor: User | None = None
) -> SignOff:
    """Sign exactly the bytes that the code was made for, as the person it was sent to; `visitor`: who is logged in.

    Everything that keeps a signature at the console from being made keeps this one too. Raises Refused.
    """
    held, user = _checked(desk, reference, code, visitor)
    actor = Actor(user, VIA, origin)
    with trying(desk.store, desk.clock, user, factor_code), desk.store.begin() as work:
        proposal = _use(desk, work, held)

        def factor() -> str:
            if not desk.policy.asks_factor(proposal.content):
                return BY_CODE
            return prove(work, desk.vault, user, factor_code, desk.clock.now())

        signoff = put_signature(desk, work, proposal, actor, held.package_sha256, factor)
        work.commit()
    return signoff


def return_by_code(
    desk: Desk, reference: str, code: str, reason: str, origin: str, visitor: User | None = None
) -> Proposal:
    """Give the version back for editing, as the person the code was sent to; the code is used up.

    Raises Refused for who has lost the right to sign it since the code was sent, as for every code that is dead.
    """
    why = kept_words(reason, "reason", "review.reason-missing")
    held, user = _checked(desk, reference, code, visitor)
    with desk.store.begin() as work:
        proposal = _use(desk, work, held)
        if user.name not in {found.name for found in may_be_asked(desk, work, proposal)}:
            raise Refused("code.no-longer", user=user.name, version=proposal.version)
        closed = close_review(desk, work, proposal, why, Actor(user, VIA, origin), ProposalStatus.RETURNED)
        work.commit()
    return closed
