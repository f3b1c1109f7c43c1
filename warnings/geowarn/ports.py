"""What the line needs from outside: clock, store, readers, models, channels. Adapters import this and the domain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.companion import AlertMessage
from geowarn.domain.dispatch import Attempt, Dispatch, DispatchState, Outcome
from geowarn.domain.incident import Draft, Incident, Publication
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, Package
from geowarn.domain.people import Shift, SignOff, User
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, Payload, RainField, RainKind, Reading
from geowarn.domain.recipient import Recipient
from geowarn.domain.rules import RuleSet
from geowarn.domain.task import Task
from geowarn.domain.warning import Content, HazardWarning, Proposal, Series


class Clock(Protocol):
    """Where `now` comes from."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        ...


class Templates(Protocol):
    """Pre-approved wording: the operator's `templates/` first, then the shipped ones."""

    def render(self, name: str, /, **values: Any) -> str:
        """Render one template file, for example `sms/alert.zh.txt.j2`; an undefined name raises."""
        ...


class Vault(Protocol):
    """Keeps phone numbers from everyone but the channel that sends."""

    def seal(self, text: str) -> bytes:
        """Encrypt; the same text gives different bytes each time."""
        ...

    def open(self, sealed: bytes) -> str:
        """Decrypt what `seal` made; raises Refused when the key does not fit."""
        ...

    def key_of(self, text: str) -> str:
        """Keyed hash (HMAC-SHA256, hexadecimal): equal for equal texts, useless without the key."""
        ...


# Makes a password into what may be stored.
PasswordHasher = Callable[[str], str]


# --- from forecast to level ---------------------------------------------------------------------------------------


class Reader(Protocol):
    """Makes rain fields of the files of one run (`geowarn.sources`).

    Reads every file whole or refuses, naming file, place and reason; bad input changes nothing.
    """

    name: str

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """One reading for each run or model that the files hold, each with a `part` of its own; at least one.

        A run may come in one file or in one file a step: all of them are given together, because a total counted
        from the start of the run can only be parted beside the one before it.
        """
        ...


class AlertReader(Protocol):
    """Makes a message of one CAP alert of the weather service."""

    def read(self, data: bytes, file_name: str) -> AlertMessage:
        """The message; raises Refused naming file, line, field and reason."""
        ...


@dataclass(frozen=True, slots=True)
class Rain:
    """Everything that may fill a window: the assessed forecast's fields and all observations nearby."""

    forecast: Forecast
    fields: tuple[RainField, ...]  # of the assessed forecast
    observed: tuple[RainField, ...]  # newest source first


class HazardModel(Protocol):
    """Turns rain into a level per area (`geowarn.models`)."""

    name: str

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when the parameters do not fit this model, naming the parameter."""
        ...

    def history_hours(self, rules: RuleSet) -> int:
        """How many hours before the window's end observed rain still matters."""
        ...

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; zonal weights are kept below `cache`."""
        ...


# --- channels ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can carry, as data."""

    languages: tuple[str, ...]
    longest: int | None  # characters or code units per message, None: no limit
    repeat_is_safe: bool  # sending the same message twice does no harm (files, feeds)
    batch: int  # targets of one shard, at most 500
    concurrency: int  # parallel sends of one shard
    carries: tuple[str, ...] = ()  # frozen files of other channels that it carries too, by the beginning of their path


@dataclass(frozen=True, slots=True)
class BulletinDraft:
    """Everything a channel may render from; late fields are markers (`geowarn.domain.package.marker`).

    `areas` holds every area of the installation with its geometry; `original` is set for a prepared
    retraction and stands for the very message under review; `earlier` are the released bulletins of the same
    warning in order of release. `facts` are the installation's effective settings by section.
    """

    content: Content
    areas: Mapping[str, Area]
    assessments: Mapping[str, Assessment]
    earlier: tuple[Bulletin, ...]
    facts: Mapping[str, Mapping[str, Any]]
    publish_from: Level
    original: Content | None = None
    prepared_at: datetime | None = None  # when it was rendered; None: the onset is taken to be near


@dataclass(frozen=True, slots=True)
class Measure:
    """What the officer sees beside a text: length, parts, seconds."""

    path: str
    units: int
    limit: int | None = None
    parts: int | None = None
    encoding: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One bulletin prepared for one channel; `problems` are catalogue keys with facts, and block release."""

    channel: str
    artefacts: tuple[Artefact, ...]
    measures: tuple[Measure, ...] = ()
    problems: tuple[tuple[str, Mapping[str, Any]], ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """Whom one dispatch goes to; `address` is a phone number, a station's name or "public", never logged."""

    dispatch_id: str
    key: str
    address: str = field(repr=False)
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """The frozen bytes one target gets: artefacts of the bulletin that belong to the channel, and the one meant."""

    bulletin: Bulletin
    artefacts: Mapping[str, bytes]
    variant: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the far end answered."""

    outcome: Outcome
    provider_id: str | None = None
    detail: str = ""


class Channel(Protocol):
    """Carries a bulletin out (`geowarn.channels`). No retry, logging or storage inside."""

    name: str
    limits: Limits

    def prepare(self, draft: BulletinDraft) -> Message:
        """Render, measure and check every text of this channel; pure, run before anyone may sign."""
        ...

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        """Carry the frozen bytes to one target; raises TemporaryFailure, PermanentFailure or OutcomeUnknown."""
        ...


class Reconciling(Protocol):
    """A channel whose far end can be asked what became of a message."""

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        """The receipt of a message sent since then, None when the far end never had it; raises SendFailure."""
        ...


class Sealing(Protocol):
    """A channel whose final bytes carry a signature of their own, made when the late fields are known."""

    def seal(self, artefact: Artefact) -> Artefact:
        """The artefact with its signature added and nothing else changed; raises Refused when it cannot be signed.

        `geowarn.domain.package.unsealed` takes the signature out again.
        """
        ...


@dataclass(frozen=True, slots=True)
class PublishedBulletin:
    """A released bulletin as the public tree shows it; `artefacts` maps path to frozen bytes."""

    bulletin: Bulletin
    standing: Standing
    successor: Bulletin | None
    artefacts: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PublishedIncident:
    """An incident as the public tree shows it: its versions, oldest first, and the slugs of the warnings before it."""

    incident: Incident
    publications: tuple[Publication, ...]
    slugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SiteState:
    """The complete public state from which the static tree and the stations' feeds are built.

    `bulletins` are newest first and include ended ones. `sequence` grows with every state published.
    """

    sequence: int
    generated: datetime
    next_update: datetime
    bulletins: tuple[PublishedBulletin, ...]
    areas: Mapping[str, Area]
    none_in_force_since: datetime | None
    synthetic: bool  # the installation runs on synthetic input (demo)
    checkpoint: Mapping[str, Any] | None  # signed head of the ledger
    incidents: tuple[PublishedIncident, ...] = ()  # newest opened first

    def in_force(self) -> tuple[PublishedBulletin, ...]:
        """The bulletins in force, newest first."""
        return tuple(p for p in self.bulletins if p.standing is Standing.IN_FORCE)


class Publisher(Protocol):
    """A channel that shows the whole state and can be told to show it again."""

    def publish(self, state: SiteState) -> None:
        """Write the tree for `state` unless a newer sequence is already there."""
        ...


@dataclass(frozen=True, slots=True)
class ChannelContext:
    """What a channel is built with; `settings` are the effective settings by section, secrets included."""

    settings: Mapping[str, Mapping[str, Any]]
    data_dir: Path
    templates: Templates
    clock: Clock
    site_state: Callable[[], SiteState]


# --- store ---------------------------------------------------------------------------------------------------------


class Areas(Protocol):
    """Areas of the store."""

    def all(self) -> tuple[Area, ...]:
        """Every area, ordered by code."""
        ...

    def get(self, code: str) -> Area | None: ...

    def save_all(self, areas: Iterable[Area]) -> None:
        """Insert or replace by code."""
        ...


class Forecasts(Protocol):
    """Forecasts of the store."""

    def add(self, forecast: Forecast) -> None: ...

    def get(self, forecast_id: str) -> Forecast | None: ...

    def by_digest(self, payload_digest: str) -> tuple[Forecast, ...]:
        """The forecasts made of this payload, one a part, in order of part."""
        ...

    def of_origin(self, origin: str, limit: int = 50) -> tuple[Forecast, ...]:
        """What one configured source brought, newest run first, then newest received."""
        ...

    def covering(self, period: Period, kind: RainKind) -> tuple[Forecast, ...]:
        """Forecasts of `kind` whose coverage overlaps `period`, newest received first."""
        ...

    def latest(self, limit: int = 50) -> tuple[Forecast, ...]:
        """Newest received first."""
        ...


class Assessments(Protocol):
    """Assessments of the store."""

    def add(self, run: AssessmentRun) -> None: ...

    def get(self, run_id: str) -> AssessmentRun | None: ...

    def latest(self, limit: int = 20) -> tuple[AssessmentRun, ...]:
        """Newest first, those of the deciding model only."""
        ...

    def beside(self, run_id: str) -> tuple[AssessmentRun, ...]:
        """The alternates' runs made beside this one, in order of model."""
        ...

    def between(self, start: datetime, end: datetime) -> tuple[AssessmentRun, ...]:
        """The deciding model's runs made in (start, end], oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Activation:
    """A rule set switched on by a person; the newest of a model holds."""

    id: str
    model: str
    digest: str  # of a stored rule set
    at: datetime
    by: str
    reason: str


class Rules(Protocol):
    """Rules of the store."""

    def save(self, rules: RuleSet) -> None:
        """Keep this text by digest; saving it again changes nothing."""
        ...

    def get(self, digest: str) -> RuleSet | None: ...

    def all(self) -> tuple[RuleSet, ...]:
        """Every rule set kept, by name, version and digest."""
        ...

    def activate(self, activation: Activation) -> None:
        """Switch a stored rule set on for its model."""
        ...

    def active(self, model: str) -> Activation | None:
        """The newest activation of this model, or None: the configuration's file holds."""
        ...


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """What happened to a configured source: the inputs page and the alarms are made from these.

    `kind` is "good" (a complete run taken in), "refused", "waiting" (part of a run is there), "failed" (could not be
    fetched) or "late".
    """

    id: str
    source: str
    at: datetime
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class SourceEvents(Protocol):
    """What happened to each configured source."""

    def add(self, event: SourceEvent) -> None: ...

    def newest(self, source: str, kind: str | None = None) -> SourceEvent | None:
        """The newest event of this source, of one kind where it is named."""
        ...

    def of_source(self, source: str, limit: int = 50) -> tuple[SourceEvent, ...]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class CompanionAlert:
    """A CAP alert of the weather service: it can raise attention, never a level.

    `areas` are codes of ours that its area covers; `facts` hold event, severity, headline and description by language.
    """

    id: str  # sender, identifier and sent, hashed
    sender: str
    identifier: str
    sent: datetime
    onset: datetime
    expires: datetime
    areas: tuple[str, ...]
    facts: Mapping[str, Any]
    payload_digest: str
    received_at: datetime
    ended_by: str | None = None  # the identifier of the update or cancel that ended it


class CompanionAlerts(Protocol):
    """Alerts of the weather service."""

    def add(self, alert: CompanionAlert) -> bool:
        """Keep it; returns False when it was already there."""
        ...

    def end(self, sender: str, identifier: str, by: str) -> int:
        """Note that an update or cancel ended it; returns how many."""
        ...

    def current(self, now: datetime) -> tuple[CompanionAlert, ...]:
        """Those neither expired nor ended, newest sent first."""
        ...


class Warnings(Protocol):
    """Warnings of the store."""

    def add(self, warning: HazardWarning) -> None: ...

    def get(self, warning_id: str) -> HazardWarning | None: ...

    def save(self, warning: HazardWarning) -> None: ...

    def all(self) -> tuple[HazardWarning, ...]:
        """Newest opened first."""
        ...


class Proposals(Protocol):
    """Proposals of the store."""

    def add(self, proposal: Proposal, package: Package) -> None:
        """Store this version with every byte of its package and its retraction."""
        ...

    def get(self, proposal_id: str) -> Proposal | None: ...

    def save_status(self, proposal: Proposal) -> None:
        """Store `status` and `status_reason`; nothing else of a version ever changes."""
        ...

    def of_warning(self, warning_id: str) -> tuple[Proposal, ...]:
        """All versions, newest first."""
        ...

    def open(self) -> tuple[Proposal, ...]:
        """Open and returned versions of all warnings, oldest first."""
        ...

    def package(self, proposal_id: str) -> Package:
        """The stored package with its retraction; raises NotFound."""
        ...


class SignOffs(Protocol):
    """SignOffs of the store."""

    def add(self, signoff: SignOff) -> None: ...

    def of_proposal(self, proposal_id: str) -> tuple[SignOff, ...]:
        """In order of time, voided ones included."""
        ...

    def void(self, proposal_id: str, at: datetime) -> int:
        """Void every standing signature of this version; returns how many."""
        ...


class Bulletins(Protocol):
    """Bulletins of the store."""

    def next_serial(self, series: Series, year: int) -> int:
        """Take the next gapless number inside this transaction; concurrent releases wait."""
        ...

    def add(self, bulletin: Bulletin, artefacts: Iterable[Artefact]) -> None:
        """Store the frozen bulletin with its bytes; a row once written refuses UPDATE and DELETE."""
        ...

    def get(self, bulletin_id: str) -> Bulletin | None: ...

    def by_slug(self, slug: str) -> Bulletin | None: ...

    def of_warning(self, warning_id: str) -> tuple[Bulletin, ...]:
        """In order of release."""
        ...

    def all(self) -> tuple[Bulletin, ...]:
        """Newest first."""
        ...

    def artefacts(self, bulletin_id: str) -> dict[str, bytes]:
        """Path to frozen bytes."""
        ...


@dataclass(frozen=True, slots=True)
class ShardProgress:
    """What is left of one shard."""

    shard: str
    channel: str
    bulletin_id: str
    priority: int


class Incidents(Protocol):
    """Incidents of the store."""

    def add(self, incident: Incident) -> None: ...

    def get(self, incident_id: str) -> Incident | None: ...

    def all(self) -> tuple[Incident, ...]:
        """Newest opened first."""
        ...

    def save_draft(self, draft: Draft) -> None: ...

    def drafts(self, incident_id: str) -> tuple[Draft, ...]:
        """Every draft, newest first."""
        ...

    def add_signoff(self, signoff: SignOff) -> None:
        """`proposal_id` is the draft's id, `package_sha256` its statement's digest."""
        ...

    def signoffs(self, draft_id: str) -> tuple[SignOff, ...]:
        """In order of time."""
        ...

    def publish(self, publication: Publication) -> None:
        """Freeze a version; a row once written refuses UPDATE and DELETE."""
        ...

    def publications(self, incident_id: str) -> tuple[Publication, ...]:
        """Every published version, oldest first."""
        ...


class Dispatches(Protocol):
    """Dispatches of the store."""

    def add_all(self, dispatches: Iterable[Dispatch]) -> None: ...

    def get(self, dispatch_id: str) -> Dispatch | None: ...

    def of_bulletin(self, bulletin_id: str, channel: str | None = None) -> tuple[Dispatch, ...]: ...

    def counts(self, bulletin_id: str) -> dict[str, dict[DispatchState, int]]:
        """channel -> state -> count."""
        ...

    def due_shards(self, now: datetime) -> tuple[ShardProgress, ...]:
        """Shards with rows that are new and due, or sending with a lease run out, or in doubt and due; highest
        priority first, then oldest."""
        ...

    def claim(self, shard: str, owner: str, now: datetime, lease_until: datetime, limit: int) -> tuple[Dispatch, ...]:
        """Move up to `limit` due new rows to sending under this owner and return them; a row is claimed once.

        Commit before anything is sent.
        """
        ...

    def expire(self, now: datetime) -> int:
        """new rows past their not-after become expired-unsent; returns how many."""
        ...

    def orphaned(self, now: datetime, limit: int, channel: str | None = None) -> tuple[Dispatch, ...]:
        """sending rows whose lease has run out become in-doubt; returns the in-doubt rows that are due now, of one
        channel where it is named."""
        ...

    def record(self, results: Iterable[tuple[Dispatch, Attempt]]) -> None:
        """Store new states (compare-and-set on owner) and append the attempts, in one statement a kind."""
        ...

    def overtake(self, bulletin_ids: Iterable[str], now: datetime, reason: str) -> int:
        """Unsent rows of these bulletins become expired-unsent; returns how many."""
        ...

    def by_provider_id(self, channel: str, provider_id: str) -> Dispatch | None: ...

    def unsettled(self, bulletin_id: str | None = None) -> int:
        """How many rows are new, sending or in doubt."""
        ...

    def attempts(self, bulletin_id: str) -> tuple[Attempt, ...]: ...


class Ledger(Protocol):
    """Ledger of the store."""

    def append(self, at: datetime, actor: str, kind: str, subject: str, payload: Mapping[str, Any]) -> LedgerEntry:
        """Chain one entry in this transaction."""
        ...

    def head(self) -> LedgerEntry | None: ...

    def entries(self, after: int = 0, limit: int | None = None, subject: str | None = None) -> tuple[LedgerEntry, ...]:
        """In order of sequence, those with sequence > `after`."""
        ...


class Users(Protocol):
    """Users of the store."""

    def save(self, user: User) -> None: ...

    def get(self, name: str) -> User | None: ...

    def all(self) -> tuple[User, ...]: ...


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser; the cookie holds a random token, the store its SHA-256."""

    token_sha256: str
    user: str
    form_token: str
    opened_at: datetime
    seen_at: datetime
    ends_at: datetime


class Sessions(Protocol):
    """Sessions of the store."""

    def save(self, session: Session) -> None: ...

    def get(self, token_sha256: str) -> Session | None: ...

    def delete(self, token_sha256: str) -> None: ...

    def note_failure(self, user: str, at: datetime) -> None: ...

    def failures_since(self, user: str, since: datetime) -> int: ...


class Shifts(Protocol):
    """Shifts of the store."""

    def add(self, shift: Shift) -> None: ...

    def at(self, moment: datetime) -> tuple[Shift, ...]: ...

    def between(self, start: datetime, end: datetime) -> tuple[Shift, ...]: ...


class Recipients(Protocol):
    """Recipients of the store."""

    def add_all(self, recipients: Iterable[Recipient]) -> int:
        """Insert or replace by (phone_key, area); returns how many are new."""
        ...

    def all(self) -> tuple[Recipient, ...]: ...

    def by_phone_key(self, phone_key: str) -> tuple[Recipient, ...]: ...

    def opt_out(self, phone_key: str, at: datetime) -> int: ...

    def counts(self) -> dict[tuple[str, str, str], int]:
        """(area, language, role) -> how many have not opted out."""
        ...


class Tasks(Protocol):
    """Tasks of the store."""

    def open(self, task: Task) -> bool:
        """Add unless one of this kind and subject is open; returns whether it was added."""
        ...

    def close(self, kind: str, subject: str, at: datetime) -> int: ...

    def pending(self) -> tuple[Task, ...]:
        """Open tasks, earliest due first."""
        ...


class Ticks(Protocol):
    """Ticks of the store."""

    def fire(self, job: str, slot: datetime, owner: str, at: datetime) -> bool:
        """Take a slot of a job; exactly one caller ever gets True."""
        ...

    def last(self, job: str) -> datetime | None:
        """The newest slot fired."""
        ...

    def beat(self, owner: str, kind: str, at: datetime) -> None:
        """Note that a process (kind "worker", "scheduler", "web") is alive."""
        ...

    def alive(self, kind: str, since: datetime) -> tuple[str, ...]:
        """Owners of this kind that have beaten since."""
        ...


@dataclass(frozen=True, slots=True)
class Poll:
    """One station's last visit and what it then saw."""

    station: str
    at: datetime
    sequence: int


class Stations(Protocol):
    """Stations of the store."""

    def polled(self, poll: Poll) -> None: ...

    def last_poll(self, station: str) -> Poll | None: ...

    def aired(self, station: str, slug: str, at: datetime, medium: str) -> bool:
        """Note "aired at"; returns False when it was already noted."""
        ...

    def airings(self, slug: str) -> tuple[tuple[str, datetime, str], ...]:
        """(station, aired at, medium) of one bulletin."""
        ...


class Counters(Protocol):
    """Counters of the store."""

    def next(self, name: str) -> int:
        """The next number of this counter, starting at 1, inside this transaction."""
        ...


class UnitOfWork(Protocol):
    """One transaction: everything inside commits together or not at all (house rule 4).

    Use as `with store.begin() as work: …; work.commit()`; leaving without commit rolls back.
    """

    @property
    def areas(self) -> Areas: ...
    @property
    def forecasts(self) -> Forecasts: ...
    @property
    def assessments(self) -> Assessments: ...
    @property
    def rules(self) -> Rules: ...
    @property
    def source_events(self) -> SourceEvents: ...
    @property
    def companions(self) -> CompanionAlerts: ...
    @property
    def incidents(self) -> Incidents: ...
    @property
    def warnings(self) -> Warnings: ...
    @property
    def proposals(self) -> Proposals: ...
    @property
    def signoffs(self) -> SignOffs: ...
    @property
    def bulletins(self) -> Bulletins: ...
    @property
    def dispatches(self) -> Dispatches: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def shifts(self) -> Shifts: ...
    @property
    def recipients(self) -> Recipients: ...
    @property
    def tasks(self) -> Tasks: ...
    @property
    def ticks(self) -> Ticks: ...
    @property
    def stations(self) -> Stations: ...
    @property
    def counters(self) -> Counters: ...

    def commit(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Store(Protocol):
    """Where units of work come from."""

    def begin(self) -> AbstractContextManager[UnitOfWork]:
        """A unit of work that may write (SQLite: BEGIN IMMEDIATE)."""
        ...

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """A unit of work that only reads one consistent state."""
        ...
