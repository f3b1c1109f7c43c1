"""A ledger entry as one sentence in the reader's language, and who learnt something by it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from jinja2 import TemplateError
from markupsafe import Markup

from geowarn.catalogue import say
from geowarn.domain.area import Area
from geowarn.domain.case import Told, payload_of
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.level import Level
from geowarn.domain.people import User
from geowarn.ports import Templates, UnitOfWork
from geowarn.web.board_state import target_names
from geowarn.web.wording import Words

_LABEL = re.compile(r"(?P<name>.*?) \((?P<way>[^,()]*)(?:, [^()]*)?\)")
_TO_PERSON = frozenset({"escalation.rung", "notice.result", "notice.queued", "sign-code.asked", "shift.asked"})
_TO_THE_PUBLIC = (
    "bulletin.released",
    "bulletin.aired",
    "dispatch.results",
    "dispatch.reported",
    "incident.published",
    "answer.published",
)
_LONGEST = 120


class Facts:
    """A payload whose missing keys are None: entries of an older version say less."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return self._values.get(name)

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name)


@dataclass(frozen=True, slots=True)
class Teller:
    """Puts names, places and moments as the reader says them; `far_ends` is what stations and partners are called."""

    w: Words
    users: Mapping[str, User]
    areas: Mapping[str, Area]
    far_ends: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""

    def about(self, entry: LedgerEntry) -> Teller:
        """The same for one entry."""
        return replace(self, subject=entry.subject)

    def person(self, name: str | None) -> str:
        """What an account is called; an empty text for nobody."""
        user = self.users.get(name or "")
        return user.display(self.w.language) if user else name or ""

    def who(self, entry: LedgerEntry) -> str:
        """Who an entry says did it, by name: 值班员甲, 系统."""
        found = _LABEL.fullmatch(entry.actor)
        name = found["name"] if found else entry.actor
        kind, _, far_end = name.partition(" ")
        if kind in ("station", "partner") and far_end:
            return self.far_ends.get(far_end, far_end)
        if name.startswith("command line"):
            return str(self.w("told.command_line"))
        return self.person(name) if name in self.users else str(self.w.or_code(f"told.{name}", name))

    def way(self, entry: LedgerEntry) -> str:
        """From where, as far as an entry names it: 值班台, 短信."""
        found = _LABEL.fullmatch(entry.actor)
        return self.via(found["way"]) if found else ""

    def informed(self, told: Told, exercise: bool = False) -> str:
        """Who knows something since this entry that they did not know before."""
        kind, facts = told.entry.kind, told.facts
        if kind in _TO_THE_PUBLIC:
            return str(self.w("told.exercise_group" if exercise else "told.public"))
        if kind in _TO_PERSON:
            return self.person(facts.get("person")) or self.post(facts.get("post"))
        if kind == "call.made":
            return str(self.w("told.contact"))
        if kind == "proposal.consulted":
            return str(facts.get("spoke_with", ""))
        return self.who(told.entry)

    def via(self, way: str | None) -> str:
        """Over which door: 值班台, 短信, 电话."""
        return str(self.w.or_code(f"told.via_{way}", way or ""))

    def moment(self, at: str | None) -> Markup | str:
        """Day and time of an ISO 8601 text."""
        return self.w.moment(datetime.fromisoformat(at)) if at else ""

    def clock(self, at: str | None) -> str:
        """Hours and minutes."""
        return self.w.clock(datetime.fromisoformat(at)) if at else ""

    def clock_seconds(self, at: str | None) -> str:
        """Hours, minutes and seconds."""
        return self.w.clock_seconds(datetime.fromisoformat(at)) if at else ""

    def span(self, start: str | None, end: str | None) -> Markup:
        """From one moment to another."""
        return self.w("told.span", start=self.moment(start), end=self.moment(end))

    def lasting(self, length: timedelta) -> Markup:
        """6分42秒."""
        return self.w.lasting(length)

    def lag(self, length: timedelta) -> Markup:
        """To the tenth of a second below a minute: 0.6 秒."""
        seconds = max(length.total_seconds(), 0.0)
        return self.w("time.lag", seconds=f"{seconds:.1f}") if seconds < 60 else self.w.lasting(length)

    def levels(self, levels: Mapping[str, str | None] | None) -> str:
        """Areas by level, the highest first: 海阳市红色；莱阳市、栖霞市橙色. Areas without a level are left out."""
        by_level: dict[Level, list[str]] = {}
        for code, level in (levels or {}).items():
            if level and level != "none":
                by_level.setdefault(Level.parse(level), []).append(code)
        parts = [
            str(self.w("told.level", areas=self.w.few(self._places(codes)), level=self.w.level(level)))
            for level, codes in sorted(by_level.items(), reverse=True)
        ]
        return self.w.sentences["told.between"].join(parts)

    def level_rows(self, rows: Iterable[Mapping[str, Any]]) -> str:
        """The same of rows with `code` and `level`."""
        return self.levels({row["code"]: row["level"] for row in rows})

    def _places(self, codes: Iterable[str]) -> list[str]:
        """Counties before the townships in them."""
        return self.w.area_names(sorted(codes, key=lambda code: (len(code), code)), self.areas)

    def act(self, act: str) -> Markup:
        """发布, 改发, 解除."""
        return self.w.or_code(f"act.{act}", act)

    def role(self, role: str) -> Markup:
        """A role by its code."""
        return self.w.or_code(f"role.{role}", role)

    def roles(self, roles: Iterable[str] | None) -> str:
        """Roles in a row."""
        return self.w.names(str(self.role(role)) for role in roles or ())

    def step(self, step: str | None) -> Markup:
        """What is waited for: 值班员核签, 发布."""
        last = (step or "").rpartition(":")[2]
        return self.w.or_code(f"clock.step.{last}", last)

    def post(self, post: str | None) -> Markup:
        """A post of a chain: 代班, 全员."""
        return self.w.or_code(f"clock.post.{post}", post or "")

    def chain(self, chain: Iterable[Mapping[str, Any]] | None) -> str:
        """The people of a chain in the order in which they are rung."""
        people = (self.person(name) for post in chain or () for name in post["people"] or [""])
        return self.w.sentences["told.then"].join(name for name in people if name)

    def task(self, kind: str | None) -> str:
        """What a task is called, without what it is about."""
        return str(self.w.or_code(f"told.task_{kind}", kind or ""))

    def state(self, state: str | None) -> Markup:
        """A state of a message: 送达, 已受理."""
        return self.w.or_code(f"told.state_{state}", state or "")

    def states(self, states: Mapping[str, int] | None) -> str:
        """送达 29,412、失败 671."""
        counted = ((self.state(state), count) for state, count in sorted((states or {}).items()) if count)
        return self.w.names(str(self.w("told.counted", what=what, count=self.w.count(n))) for what, n in counted)

    def places(self, counts: Mapping[str, int] | None) -> str:
        """Places that must answer, by kind: 2 个县级值班室、14 个乡镇、街道值班室."""
        counted = ((kind, self.w.count(count)) for kind, count in (counts or {}).items())
        return self.w.names(str(self.w("calls.count_" + kind, count=count)) for kind, count in counted)

    def where(self, code: str | None) -> str:
        """What an area is called."""
        return self.w.names(self._places([code])) if code else ""

    def channel(self, channel: str | None) -> Markup:
        """What a channel is called."""
        return self.w.or_code(f"channel.{channel}", channel or "")

    def medium(self, medium: str | None) -> Markup:
        """How a station aired it: 字幕, 口播."""
        return self.w.or_code(f"told.medium_{medium}", medium or "")

    def outcome(self, reason: str | None) -> Markup:
        """Why a message or an exercise ended as it did."""
        return self.w.or_code(f"outcome.{reason}", reason or "")

    def refusal(self, key: str, facts: Mapping[str, Any] | None) -> str:
        """The sentence of a refusal; its bare key where the catalogue no longer has it."""
        try:
            return say(key, self.w.language, **(facts or {}))
        except KeyError:
            return key

    def in_language(self, texts: Mapping[str, str] | None) -> str:
        """A text that was entered by language, in the reader's or whichever there is."""
        found = {tag.lower()[:2]: text for tag, text in (texts or {}).items() if text}
        return found.get(self.w.language) or next(iter(found.values()), "")

    def total(self, counts: Mapping[str, int] | None) -> str:
        """The sum of counts."""
        return self.w.count(sum((counts or {}).values()))

    def list(self, names: Iterable[str] | None) -> str:
        """Names in a row."""
        return self.w.names(str(name) for name in names or ())

    def item(self, facts: Facts, name: str) -> Any:
        """A fact whose name the template language keeps for itself."""
        return facts[name]

    def short(self, digest: str | None) -> str:
        """The first eight digits of a digest, in two groups."""
        return f"{digest[:4]} {digest[4:8]}" if digest else ""

    def cut(self, text: str | None) -> str:
        """A person's own words; long ones end in an ellipsis."""
        words = " ".join((text or "").split())
        return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"


def teller_of(work: UnitOfWork, words: Words, channels: Mapping[str, Mapping[str, Mapping[str, object]]]) -> Teller:
    """With the names of today's people, areas, stations and partners; `channels` as channels.toml has them."""
    names = target_names(channels, words.language)
    return Teller(
        words,
        {user.name: user for user in work.users.all()},
        {area.code: area for area in work.areas.plain()},
        {key.partition(":")[2]: name for key, name in names.items()},
    )


def alone(entry: LedgerEntry) -> Told:
    """An entry told by itself, without what other entries would add."""
    return Told(entry, payload_of(entry))


def sentence(templates: Templates, teller: Teller, told: Told) -> Markup:
    """What was done, as one sentence; a kind or a payload that this version cannot read is at least named."""
    kind = told.entry.kind
    values = {"name": kind.replace(".", "_").replace("-", "_"), "f": Facts(told.facts), "t": teller.about(told.entry)}
    page = f"console/ledger-sentence.{teller.w.language}.html.j2"
    try:
        said = templates.render(page, **values).strip()
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError):
        said = ""
    return Markup(said) if said else teller.w.kind(kind)  # noqa: S704 - escaped by the template
