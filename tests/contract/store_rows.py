"""Rows for the store's contract suites, each with values of its own where it matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.incident import Incident, Part, Publication, Statement, Text
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, Package
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.recipient import Recipient
from geowarn.domain.rules import RuleSet
from geowarn.domain.warning import Act, AreaLevel, Content, HazardWarning, Proposal, Series, WarningStatus
from geowarn.ports import UnitOfWork
from geowarn.store.unit_of_work import SqlStore

NOON = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def kept(store: SqlStore, write: Callable[[UnitOfWork], object]) -> None:
    with store.begin() as work:
        write(work)
        work.commit()


def area(code: str = "370687", **other: object) -> Area:
    return replace(Area(code, AreaKind.COUNTY, "海阳市", "Haiyang"), **other)  # type: ignore[arg-type]


def recipient(number: int, **other: object) -> Recipient:
    made = Recipient(
        id=f"r-{number}",
        phone_key=f"{number:064x}",
        phone_sealed=b"\x01sealed" + bytes([number]),
        phone_masked="+1 *** *** **42",
        area="370687",
        language="zh",
        role="resident",
        consent="form 2026-05-01",
        added_at=NOON,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def forecast(number: int = 1, **other: object) -> Forecast:
    made = Forecast(
        id=f"f-{number}",
        reader="grib",
        source="gfs",
        file_name="rain.grib2",
        payload_digest=f"{number:064x}",
        received_at=NOON + number * HOUR,
        run_time=NOON - 6 * HOUR,
        coverage=Period(NOON, NOON + 24 * HOUR),
        fields=8,
        kinds=frozenset({RainKind.FORECAST}),
        synthetic=False,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def rules(text: str = "k = 0.84") -> RuleSet:
    return RuleSet("effrain-matrix", "1", "effrain-matrix", False, {"k": 0.84, "n": [1, 2]}, ("paper",), text, "d" * 64)


def run(**other: object) -> AssessmentRun:
    made = AssessmentRun(
        id="a-1",
        forecast_id="f-1",
        inputs=("f-1", "f-2"),
        model="effrain-matrix",
        rules="effrain-matrix 1",
        rules_digest="d" * 64,
        areas_digest="e" * 64,
        window=Period(NOON, NOON + 24 * HOUR),
        run_time=NOON,
        age_hours=0.1 + 0.2,
        created_at=NOON,
        synthetic=True,
        calibrated=False,
        stale_reason=None,
        assessments=(),
    )
    return replace(made, **other)  # type: ignore[arg-type]


def content(**other: object) -> Content:
    made = Content(
        act=Act.ISSUE,
        series=Series.REAL,
        areas=(AreaLevel("370687", Level.RED), AreaLevel("370682", Level.ORANGE, Level.YELLOW)),
        onset=NOON,
        expires=NOON + 24 * HOUR,
        next_update=NOON + 12 * HOUR,
        slots={"action.red.zh": "立即撤离", "action.red.en": "Leave now"},
        source="forecast",
    )
    return replace(made, **other)  # type: ignore[arg-type]


def package_of(made: Content, body: bytes = b"[[late:number]]") -> Package:
    withdrawal = replace(made, act=Act.RETRACT)
    files = (Artefact("website/page.zh.html", "text/html", body), Artefact("sms/red.zh.txt", "text/plain", b"\x00\xff"))
    retraction = Package(withdrawal.as_json(), (Artefact("sms/red.zh.txt", "text/plain", "撤回".encode()),))
    return Package(made.as_json(), files, retraction)


def incident() -> Incident:
    return Incident("2026-01", 2026, 1, NOON, synthetic=False)


def statement(said: str = "边坡滑塌。", **other: object) -> Statement:
    parts = {"situation": Part(Text(said, "A slope slid."), NOON + 5 * HOUR), "cause": Part(Text("降雨。", "Rain."))}
    made = Statement(
        Text("公路边坡滑坡", "Landslide at a road"), parts, Text("更正人数", "Figures corrected"), ("w-1",)
    )
    return replace(made, **other)  # type: ignore[arg-type]


def publication(version: int, **other: object) -> Publication:
    made = Publication("2026-01", version, statement(), NOON + version * HOUR, "sun", (("leader", "li"),))
    return replace(made, **other)  # type: ignore[arg-type]


def warning(number: int = 1, **other: object) -> HazardWarning:
    made = HazardWarning(f"w-{number}", Series.REAL, WarningStatus.PROPOSED, NOON + number * HOUR)
    return replace(made, **other)  # type: ignore[arg-type]


def proposal(version: int = 1, made: Content | None = None, **other: object) -> Proposal:
    made = made or content()
    digest = package_of(made).sha256
    return replace(
        Proposal(f"p-{version}", "w-1", version, made, digest, "wang", NOON + version * HOUR),
        **other,  # type: ignore[arg-type]
    )


def bulletin(serial: int = 1, **other: object) -> Bulletin:
    made = Bulletin(
        id=f"b-{serial}",
        warning_id="w-1",
        proposal_id=f"p-{serial}",
        series=Series.REAL,
        year=2026,
        serial=serial,
        number=f"烟地灾预警〔2026〕{serial}号",
        slug=f"2026-{serial:03d}",
        released_at=NOON,
        content=content(),
        package_sha256="d" * 64,
        late={"number": f"{serial}", "sent": "2026-07-23T12:00:00+08:00"},
        artefacts={file.path: file.sha256 for file in frozen(serial)},
    )
    return replace(made, **other)  # type: ignore[arg-type]


def frozen(serial: int) -> tuple[Artefact, ...]:
    return (Artefact("sms/red.zh.txt", "text/plain", b"same"), Artefact("page", "text/html", b"%d" % serial))


def with_versions(work: UnitOfWork, *versions: int) -> None:
    work.warnings.add(warning())
    for version in versions:
        work.proposals.add(proposal(version), package_of(content()))
