"""The tables, dialect-neutral; `migrations/` builds the same and a test compares the two."""

from geowarn.store.tables.base import metadata
from geowarn.store.tables.calls import call, call_ask, call_contact
from geowarn.store.tables.clock import emergency_release, escalation, escalation_answer, escalation_step
from geowarn.store.tables.counsel import consultation, review_comment, secrecy_check, sign_code
from geowarn.store.tables.dispatches import attempt, dispatch, shard
from geowarn.store.tables.exercise import exercise, exercise_permit
from geowarn.store.tables.identity import (
    invitation,
    outside_warning,
    pending_change,
    recovery_code,
    second_factor,
)
from geowarn.store.tables.incidents import incidents
from geowarn.store.tables.issuers import issuer_feed, issuer_mark, issuer_message, issuer_reference, issuer_refusal
from geowarn.store.tables.levels import (
    assessment,
    assessment_run,
    companion_alert,
    forecast,
    rule_activation,
    rule_set,
    source_event,
)
from geowarn.store.tables.mail import letter, subscriber, subscription_asked
from geowarn.store.tables.operation import airing, counter, fired, heartbeat, ledger, station_poll, task
from geowarn.store.tables.partners import api_key, api_nonce, api_request, api_use, hook, hook_attempt, hook_delivery
from geowarn.store.tables.people import account, area, console_session, login_failure, recipient, shift
from geowarn.store.tables.review import (
    blob,
    bulletin,
    bulletin_artefact,
    hazard_warning,
    package,
    package_artefact,
    proposal,
    signoff,
)
from geowarn.store.tables.roster import handover, notice, shift_ask, shift_swap
from geowarn.store.tables.search import search_document, search_term
from geowarn.store.tables.voices import (
    answers,
    voice,
    voice_act,
    voice_photo,
)

__all__ = [
    "account",
    "airing",
    "answers",
    "api_key",
    "api_nonce",
    "api_request",
    "api_use",
    "area",
    "assessment",
    "assessment_run",
    "attempt",
    "blob",
    "bulletin",
    "bulletin_artefact",
    "call",
    "call_ask",
    "call_contact",
    "companion_alert",
    "console_session",
    "consultation",
    "counter",
    "dispatch",
    "emergency_release",
    "escalation",
    "escalation_answer",
    "escalation_step",
    "exercise",
    "exercise_permit",
    "fired",
    "forecast",
    "handover",
    "hazard_warning",
    "heartbeat",
    "hook",
    "hook_attempt",
    "hook_delivery",
    "incidents",
    "invitation",
    "issuer_feed",
    "issuer_mark",
    "issuer_message",
    "issuer_reference",
    "issuer_refusal",
    "ledger",
    "letter",
    "login_failure",
    "metadata",
    "notice",
    "outside_warning",
    "package",
    "package_artefact",
    "pending_change",
    "proposal",
    "recipient",
    "recovery_code",
    "review_comment",
    "rule_activation",
    "rule_set",
    "search_document",
    "search_term",
    "second_factor",
    "secrecy_check",
    "shard",
    "shift",
    "shift_ask",
    "shift_swap",
    "sign_code",
    "signoff",
    "source_event",
    "station_poll",
    "subscriber",
    "subscription_asked",
    "task",
    "voice",
    "voice_act",
    "voice_photo",
]
