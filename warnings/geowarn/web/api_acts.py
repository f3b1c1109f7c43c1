"""`/api/v1`: what partners do. Each act is the use case that the console calls, and the same rights hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel
from starlette.responses import Response

from geowarn.domain.level import Level
from geowarn.domain.partner import Scope
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.one_transaction import once_apart
from geowarn.pipeline.partner_acts import check_call, cosign, report_aired, report_delivered
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.view import warning_view
from geowarn.ports import Store
from geowarn.web import api_act_models as acts
from geowarn.web import api_models as shapes
from geowarn.web.api_call import Caller, by_key, performed, read_body, says, target_of
from geowarn.web.api_problem import Invalid

router = APIRouter(prefix="/api/v1", tags=["act"])
Proposer = Annotated[Caller, by_key(Scope.PROPOSE)]
Cosigner = Annotated[Caller, by_key(Scope.COSIGN)]
Reporter = Annotated[Caller, by_key(Scope.RECEIPTS)]
Once = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="8 to 128 visible ASCII characters, new for each act and the same for its repeats",
    ),
]
Signed = Annotated[
    str,
    Header(
        alias="X-Geowarn-Signature",
        description="t=<Unix seconds>,n=<nonce of 16 to 64 letters, digits, - and _>,v1=<HMAC-SHA256 in hexadecimal "
        "over METHOD, path with query, t, n and the body's SHA-256, one a line>",
    ),
]


@router.post(
    "/proposals",
    **says("propose", Scope.PROPOSE, shapes.WarningInfo, 404, 409, body=acts.ProposalRequest, status=201),
)
def propose(caller: Proposer, idempotency_key: Once = "") -> Response:
    """Propose a warning for people to review. Nothing is signed and nothing goes out by it."""
    wanted = read_body(caller.request, acts.ProposalRequest)
    levels = {area.code: Level.parse(area.level) for area in wanted.areas}

    def act(store: Store) -> tuple[int, BaseModel, str]:
        desk = replace(caller.system.desk, store=store)
        made = propose_by_hand(desk, levels, wanted.hours, wanted.reason, wanted.source, caller.actor)
        with store.read() as work:
            view = warning_view(work, find_warning(work, made.warning_id), desk.policy)
        return 201, shapes.WarningInfo.model_validate(view), f"/api/v1/warnings/{made.warning_id}"

    return performed(caller, act)


@router.post(
    "/warnings/{name}/signoffs",
    **says("cosign", Scope.COSIGN, acts.Signoff, 404, 409, body=acts.SignoffRequest, status=201),
)
def sign_too(
    caller: Cosigner, name: Annotated[str, Path(max_length=80)], idempotency_key: Once = "", signature: Signed = ""
) -> Response:
    """Co-sign for the observatory exactly the package that the body names; the call itself is signed."""
    request, system = caller.request, caller.system
    header, body = request.headers.get("x-geowarn-signature", ""), request.state.body
    check_call(system.store, system.clock, system.vault, caller.key, "POST", target_of(request), header, body)
    wanted = read_body(request, acts.SignoffRequest)

    def act(store: Store) -> tuple[int, BaseModel, str]:
        desk = replace(system.desk, store=store)
        with store.read() as work:
            warning = find_warning(work, name)
        made = cosign(desk, warning.id, wanted.package_sha256, caller.actor, wanted.code)
        with store.read() as work:
            missing = warning_view(work, warning, desk.policy)["missing"]
        signed = acts.Signoff(
            id=made.id,
            warning=warning.id,
            user=made.user,
            role=made.role.value,
            at=made.at.astimezone(desk.zone).isoformat(timespec="seconds"),
            package_sha256=made.package_sha256,
            missing=missing,
        )
        return 201, signed, f"/api/v1/warnings/{warning.id}"

    return performed(caller, act, once_apart)


@router.post(
    "/bulletins/{slug}/receipts",
    **says("recordReceipt", Scope.RECEIPTS, acts.Receipt, 404, 409, body=acts.ReceiptRequest),
)
def record_receipt(caller: Reporter, slug: Annotated[str, Path(max_length=40)], idempotency_key: Once = "") -> Response:
    """Report that a bulletin arrived at, or was aired by, the partner's own targets; a state is never lowered."""
    wanted = read_body(caller.request, acts.ReceiptRequest)
    aired = wanted.state == "aired"
    for field, value in (("at", wanted.at), ("medium", wanted.medium)):
        if aired and value is None:
            raise Invalid([{"field": field, "reason": "needed for aired"}])
    partner, clock = caller.key.owner, caller.system.clock

    def act(store: Store) -> tuple[int, BaseModel, str]:
        if wanted.at is not None and wanted.medium is not None and aired:
            rows = report_aired(store, clock, partner, slug, wanted.at, wanted.medium)
        else:
            rows = report_delivered(store, clock, partner, slug, caller.key.prefix)
        targets = [acts.ReceiptRow(channel=row.channel, state=row.state.value) for row in rows]
        return 200, acts.Receipt(slug=slug, partner=partner, state=wanted.state, targets=targets), ""

    return performed(caller, act)
