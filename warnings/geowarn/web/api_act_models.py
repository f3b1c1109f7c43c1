"""The shapes of what partners send to `/api/v1`, and of what is answered to their acts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from geowarn.web.api_models import AreaLevel, Digest, Moment, Shape


class ProposalRequest(Shape):
    """A proposal for people to review; nothing is signed and nothing goes out by it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "areas": [{"code": "370687", "level": "yellow"}],
                    "hours": 24,
                    "reason": "站点实况降雨已超过阈值",
                    "source": "水文站网",
                }
            ]
        },
    )

    areas: Annotated[list[AreaLevel], Field(min_length=1, max_length=500)]
    hours: Annotated[float, Field(ge=1, le=72)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    source: Annotated[str, Field(min_length=1, max_length=200)]

    @field_validator("areas")
    @classmethod
    def _each_once(cls, areas: list[AreaLevel]) -> list[AreaLevel]:
        if len({area.code for area in areas}) != len(areas):
            raise ValueError("an area is named twice")
        return areas


class SignoffRequest(Shape):
    """The observatory agrees to exactly these bytes; `code` is its officer's second factor, where one is asked for."""

    package_sha256: Digest
    code: Annotated[str, Field(max_length=40)] = ""


class Signoff(Shape):
    """A signature that stands; `missing` says what else keeps the warning from release."""

    id: str
    warning: str
    user: str
    role: str
    at: Moment
    package_sha256: Digest
    missing: list[str]


class ReceiptRequest(Shape):
    """What became of a bulletin at the partner's own targets; `aired` takes `at` and `medium`."""

    state: Literal["delivered", "aired"]
    at: AwareDatetime | None = None
    medium: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["tv-crawl"])] | None = None


class ReceiptRow(Shape):
    """One of the partner's targets."""

    channel: str
    state: str


class Receipt(Shape):
    """Where the partner's targets stand now; a report never lowers a state."""

    slug: str
    partner: str
    state: str
    targets: list[ReceiptRow]


class HookRequest(Shape):
    """A subscription; `live` false: a test target, which may get exercises."""

    url: Annotated[str, Field(min_length=8, max_length=500, examples=["https://partner.example/geowarn"])]
    events: Annotated[list[str], Field(min_length=1, max_length=20, examples=[["bulletin.released", "warning.ended"]])]
    live: bool = True


class HookInfo(Shape):
    """A subscription."""

    id: str
    url: str
    events: list[str]
    internal: bool
    live: bool
    created_at: Moment
    failing_since: Moment | None
    disabled_at: Moment | None


class HookAdded(HookInfo):
    """A new subscription; the secret is shown this once."""

    secret: str


class HookList(Shape):
    """Every subscription of the key's owner."""

    items: list[HookInfo]


class HookDelivery(Shape):
    """One event for one subscription; `fault` says why the last try failed."""

    id: str
    event: str
    created_at: Moment
    state: Literal["new", "sending", "delivered", "given-up"]
    attempts: int
    status: int | None
    milliseconds: int | None
    fault: str | None


class HookDeliveryList(Shape):
    """The newest fifty deliveries, newest first."""

    items: list[HookDelivery]


# What bodies may be: the document describes them although no route of the framework reads them.
REQUESTS: tuple[type[BaseModel], ...] = (ProposalRequest, SignoffRequest, ReceiptRequest, HookRequest)
