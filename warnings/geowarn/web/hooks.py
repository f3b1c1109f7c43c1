"""What the SMS provider reports: believed only with its signature over our public address."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from twilio.request_validator import RequestValidator

from geowarn.domain.errors import Refused
from geowarn.pipeline.call_answers import answered_call
from geowarn.pipeline.collisions import until_through
from geowarn.pipeline.escalation_acts import answered_by_text
from geowarn.pipeline.notices import Listener, answered, reported
from geowarn.pipeline.receipts import opt_out, record_status
from geowarn.pipeline.roster_asks import hear
from geowarn.pipeline.signed_texts import signed_by_text
from geowarn.web.access import system_of
from geowarn.web.forms import pairs

router = APIRouter(prefix="/hooks/twilio", include_in_schema=False)
_EMPTY_TWIML = "<?xml version='1.0' encoding='UTF-8'?><Response/>"


class NotSigned(Exception):
    """The request does not carry the provider's signature."""


class _Multi(dict[str, list[str]]):
    """Every value of every field: the signature covers them all."""

    def getlist(self, name: str) -> list[str]:
        """The values in the order sent."""
        return self[name]


def signed_fields(request: Request) -> dict[str, str]:
    """The form's fields once its signature holds; raises NotSigned.

    The address signed is the public one from the settings: the Host header is the sender's to choose.
    """
    settings = system_of(request).settings
    fields = _Multi()
    for name, value in pairs(request):
        fields.setdefault(name, []).append(value)
    url = f"{settings.site.public_url}{request.url.path}"
    if request.url.query:
        url += f"?{request.url.query}"
    signature = request.headers.get("x-twilio-signature", "")
    tokens = (settings.sms.auth_token, settings.exercise.sms_auth_token)
    if not any(token and RequestValidator(token).validate(url, fields, signature) for token in tokens):
        raise NotSigned
    return {name: values[-1] for name, values in fields.items()}


@router.post("/status")
def status(request: Request) -> Response:
    """What became of one message; repeats and late news are welcome."""
    fields = signed_fields(request)
    system = system_of(request)
    told = (fields.get("MessageSid", ""), fields.get("MessageStatus", ""), fields.get("ErrorCode", ""))
    notice = request.query_params.get("notice", "")
    if notice:
        until_through(lambda: reported(system.store, system.clock, notice, *told))
    else:
        dispatch = request.query_params.get("dispatch", "")
        until_through(lambda: record_status(system.store, system.clock, "sms", dispatch, *told))
    return Response(status_code=204)


@router.post("/inbound")
def inbound(request: Request) -> Response:
    """A text a person sent us: STOP and 退订 end the registration, people on duty sign or answer what they were asked,
    a place that was called answers.

    All else is left to the provider's inbox.
    """
    fields = signed_fields(request)
    system = system_of(request)
    sender, text = fields.get("From", ""), fields.get("Body", "")
    try:
        doors: tuple[Callable[[], bool], ...] = (
            lambda: opt_out(system.store, system.vault, system.clock, sender, text),
            lambda: signed_by_text(system.desk, sender, text),
            lambda: answered_call(system.store, system.vault, system.clock, sender, text),
        )
        if not any(until_through(door) for door in doors):
            listeners: tuple[Listener, ...] = (hear, partial(answered_by_text, system.desk))
            until_through(lambda: answered(system.store, system.vault, system.clock, sender, text, listeners))
    except Refused:  # not a number: there is nobody to answer
        return Response(_EMPTY_TWIML, 400, media_type="text/xml")
    return Response(_EMPTY_TWIML, media_type="text/xml")
