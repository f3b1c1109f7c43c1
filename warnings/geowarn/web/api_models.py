"""The shapes of what `/api/v1` answers to who reads. Times are ISO 8601 with their offset."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-07-23T02:33:00+08:00"])]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
LevelCode = Literal["none", "blue", "yellow", "orange", "red"]
Counts = dict[str, dict[str, int]]


class Shape(BaseModel):
    """Nothing that is not described."""

    model_config = ConfigDict(extra="forbid")


class Problem(Shape):
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


class FieldError(Shape):
    """One place of a body, and what is wrong there."""

    field: str
    reason: str


class PlainError(Shape):
    """What the routes outside /api/v1 say when something is not done."""

    error: str
    message: str = ""


class ProblemKind(Shape):
    """The sentences of one kind of problem, with their blanks."""

    key: str
    zh: str
    en: str


class KeyInfo(Shape):
    """The key that asks."""

    id: str
    prefix: str
    owner: str
    of_account: bool
    scopes: list[str]
    per_minute: int
    expires_at: Moment | None


class AreaLevel(Shape):
    """One area with its level."""

    code: Annotated[str, Field(min_length=1, max_length=40, examples=["370687"])]
    level: LevelCode


class SignoffLine(Shape):
    """One signature on one package."""

    model_config = ConfigDict(extra="allow")

    user: str
    role: str
    at: Moment
    package_sha256: Digest
    voided: bool


class BulletinLine(Shape):
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


class WarningInfo(Shape):
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


class WarningList(Shape):
    """A page of warnings, newest first; `next` null: there are no more."""

    items: list[WarningInfo]
    next: str | None


class ArtefactLine(Shape):
    """One frozen file."""

    path: str
    sha256: Digest


class Bulletin(Shape):
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


class BulletinList(Shape):
    """A page of bulletins, newest first."""

    items: list[Bulletin]
    next: str | None


class DispatchCounts(Shape):
    """channel -> state -> how many messages; "accepted" is not "delivered"."""

    slug: str
    settled: bool
    dispatches: Counts


class AreaNow(Shape):
    """An area with its present level, and the bulletin that says so."""

    code: str
    kind: str
    name_zh: str
    name_en: str
    parent: str | None
    level: LevelCode
    bulletin: str | None


class AreaList(Shape):
    """A page of areas, by code."""

    items: list[AreaNow]
    next: str | None


class Window(Shape):
    """Half-open."""

    start: Moment
    end: Moment


class AssessedArea(Shape):
    """One area of a run; level null: cannot be classified, never "none"."""

    code: str
    level: LevelCode | None
    lower_bound: bool
    evidence: dict[str, Any]


class Assessment(Shape):
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


class PackageFile(Shape):
    """One file under review."""

    path: str
    sha256: Digest
    size: int
    media_type: str


class Package(Shape):
    """What is under review; a signature names `package_sha256`, the SHA-256 of the canonical JSON of `manifest`."""

    warning: str
    version: int
    status: str
    package_sha256: Digest
    missing: list[str]
    manifest: dict[str, Any]
    files: list[PackageFile]
