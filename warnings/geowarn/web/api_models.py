"""The shapes of `/api/v1`: what is sent and what is answered. Times are ISO 8601 with their offset."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-07-23T02:33:00+08:00"])]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
LevelCode = Literal["none", "blue", "yellow", "orange", "red"]
Counts = dict[str, dict[str, int]]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Problem(_Shape):
    """RFC 9457; `key` is stable and meant for programs, `detail` for people, in the language asked for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "https://warnings.example/api/v1/problems/partners.scope-missing",
                    "title": "Not for this key",
                    "status": 403,
                    "detail": "The key gwk_AbCdEf lacks the scope 'propose'.",
                    "key": "partners.scope-missing",
                }
            ]
        },
    )

    type: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    title: str
    status: int
    detail: str
    key: str
    errors: list[FieldError] = []


class FieldError(_Shape):
    """One place of a body, and what is wrong there."""

    field: str
    reason: str


class PlainError(_Shape):
    """What the routes outside /api/v1 say when something is not done."""

    error: str
    message: str = ""


class ProblemKind(_Shape):
    """The sentences of one kind of problem, with their blanks."""

    key: str
    zh: str
    en: str


class KeyInfo(_Shape):
    """The key that asks."""

    id: str
    prefix: str
    owner: str
    of_account: bool
    scopes: list[str]
    per_minute: int
    expires_at: Moment | None


class AreaLevel(_Shape):
    """One area with its level."""

    code: Annotated[str, Field(min_length=1, max_length=40, examples=["370687"])]
    level: LevelCode


class SignoffLine(_Shape):
    """One signature on one package."""

    model_config = ConfigDict(extra="allow")

    user: str
    role: str
    at: Moment
    package_sha256: Digest
    voided: bool


class BulletinLine(_Shape):
    """One bulletin of a warning."""

    model_config = ConfigDict(extra="allow")

    id: str
    number: str
    slug: str
    act: str
    msg_type: str
    sent: Moment | None
    package_sha256: Digest
    dispatches: Counts


class WarningInfo(_Shape):
    """One course of events, as `geowarn warnings show` prints it; keys without `internal` get the required fields."""

    model_config = ConfigDict(extra="allow")

    id: str
    number: str | None
    slug: str | None
    status: str
    series: str
    level: LevelCode
    areas: list[AreaLevel]
    onset: Moment | None
    expires: Moment | None
    package_sha256: Digest | None
    bulletins: list[BulletinLine]
    dispatches: Counts
    reason: str = ""
    source: str = ""
    assessment: str | None = None
    slots: dict[str, str] = {}
    version: int | None = None
    proposal_status: str | None = None
    signoffs: list[SignoffLine] = []
    missing: list[str] = []
    decided: list[dict[str, Any]] = []
    tasks: list[dict[str, Any]] = []


class WarningList(_Shape):
    """A page of warnings, newest first; `next` null: there are no more."""

    items: list[WarningInfo]
    next: str | None


class ArtefactLine(_Shape):
    """One frozen file."""

    path: str
    sha256: Digest


class Bulletin(_Shape):
    """A released bulletin: it never changes, only `standing` and `dispatches` do."""

    id: str
    warning: str
    number: str
    slug: str
    series: str
    act: str
    msg_type: str
    standing: str
    level: LevelCode
    areas: list[AreaLevel]
    sent: Moment
    onset: Moment
    expires: Moment
    synthetic: bool
    package_sha256: Digest
    page: str | None
    artefacts: list[ArtefactLine]
    dispatches: Counts


class BulletinList(_Shape):
    """A page of bulletins, newest first."""

    items: list[Bulletin]
    next: str | None


class DispatchCounts(_Shape):
    """channel -> state -> how many messages; "accepted" is not "delivered"."""

    slug: str
    settled: bool
    dispatches: Counts


class AreaNow(_Shape):
    """An area with its present level, and the bulletin that says so."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    parent: str | None
    level: LevelCode
    bulletin: str | None


class AreaList(_Shape):
    """A page of areas, by code."""

    items: list[AreaNow]
    next: str | None


class Window(_Shape):
    """Half-open."""

    start: Moment
    end: Moment


class AssessedArea(_Shape):
    """One area of a run; level null: cannot be classified, never "none"."""

    code: str
    level: LevelCode | None
    lower_bound: bool
    evidence: dict[str, Any]


class Assessment(_Shape):
    """The newest run of the deciding model."""

    id: str
    model: str
    rules: str
    rules_digest: str
    calibrated: bool
    synthetic: bool
    run_time: Moment
    created_at: Moment
    window: Window
    stale_reason: str | None
    areas: list[AssessedArea]


class PackageFile(_Shape):
    """One file under review."""

    path: str
    sha256: Digest
    size: int
    media_type: str


class Package(_Shape):
    """What is under review; a signature names `package_sha256`, the SHA-256 of the canonical JSON of `manifest`."""

    warning: str
    version: int
    status: str
    package_sha256: Digest
    missing: list[str]
    manifest: dict[str, Any]
    files: list[PackageFile]


class ProposalRequest(_Shape):
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


class SignoffRequest(_Shape):
    """The observatory agrees to exactly these bytes; `code` is its officer's second factor, where one is asked for."""

    package_sha256: Digest
    code: Annotated[str, Field(max_length=40)] = ""


class Signoff(_Shape):
    """A signature that stands; `missing` says what else keeps the warning from release."""

    id: str
    warning: str
    user: str
    role: str
    at: Moment
    package_sha256: Digest
    missing: list[str]


class ReceiptRequest(_Shape):
    """What became of a bulletin at the partner's own targets; `aired` takes `at` and `medium`."""

    state: Literal["delivered", "aired"]
    at: AwareDatetime | None = None
    medium: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["tv-crawl"])] | None = None


class ReceiptRow(_Shape):
    """One of the partner's targets."""

    channel: str
    state: str


class Receipt(_Shape):
    """Where the partner's targets stand now; a report never lowers a state."""

    slug: str
    partner: str
    state: str
    targets: list[ReceiptRow]


class HookRequest(_Shape):
    """A subscription; `live` false: a test target, which may get exercises."""

    url: Annotated[str, Field(min_length=8, max_length=500, examples=["https://partner.example/geowarn"])]
    events: Annotated[list[str], Field(min_length=1, max_length=20, examples=[["bulletin.released", "warning.ended"]])]
    live: bool = True


class HookInfo(_Shape):
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


class HookList(_Shape):
    """Every subscription of the key's owner."""

    items: list[HookInfo]


class HookDelivery(_Shape):
    """One event for one subscription; `fault` says why the last try failed."""

    id: str
    event: str
    created_at: Moment
    state: Literal["new", "sending", "delivered", "given-up"]
    attempts: int
    status: int | None
    milliseconds: int | None
    fault: str | None


class HookDeliveryList(_Shape):
    """The newest fifty deliveries, newest first."""

    items: list[HookDelivery]


REQUESTS: tuple[type[BaseModel], ...] = (ProposalRequest, SignoffRequest, ReceiptRequest, HookRequest)
