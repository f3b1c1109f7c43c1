"""What the linter found, beside the texts it is about; the areas a person may add; who is asked to sign next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geowarn.catalogue import say
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.lint import Finding
from geowarn.domain.people import Role, User
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.lint_texts import blocking
from geowarn.ports import UnitOfWork
from geowarn.web.review_sheet import Sheet
from geowarn.web.wording import Words

_NOTICE = "website"  # what pages say is read in their CAP messages


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding in words; `blocks`: nobody may sign over it."""

    text: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Remarks:
    """Findings by the path of the text, and by channel; `read`: whether there was anything to read."""

    by_path: Mapping[str, tuple[Remark, ...]]
    read: bool

    def of(self, path: str) -> tuple[Remark, ...]:
        """What was found in this text, in all languages of a file that holds several."""
        return tuple(r for p, rs in self.by_path.items() if p == path or p.split("#")[0] == path for r in rs)

    def count(self, channel: str) -> int:
        """How many findings this channel has; the slots' own count for what can be edited."""
        return sum(len(found) for path, found in self.by_path.items() if path.split("/")[0] == channel)

    @property
    def total(self) -> int:
        """All findings."""
        return sum(len(found) for found in self.by_path.values())

    @property
    def held_back(self) -> int:
        """How many keep the version from being signed."""
        return sum(remark.blocks for found in self.by_path.values() for remark in found)


def remarks_on(desk: Desk, work: UnitOfWork, sheet: Sheet, w: Words) -> Remarks:
    """The linter's findings in the reader's language."""
    if desk.linter is None or not sheet.package.artefacts:
        return Remarks({}, False)
    found = desk.linter.of(sheet.package, sheet.proposal.content, sheet.areas.values())
    held = blocking(desk.policy, found)
    grouped: dict[str, list[Remark]] = {}
    for one in found:
        grouped.setdefault(one.path, []).append(Remark(_said(one, w.language), one in held))
    return Remarks({path: tuple(some) for path, some in grouped.items()}, True)


def _said(finding: Finding, language: str) -> str:
    return say(finding.key, language, path=finding.path, **finding.facts)


def adjustable(sheet: Sheet) -> list[Area]:
    """Counties, zones and hazard points that are not under review yet."""
    kinds = (AreaKind.COUNTY, AreaKind.ZONE, AreaKind.POINT)
    return [area for area in sheet.areas.values() if area.kind in kinds and area.code not in sheet.levels]


def next_up(sheet: Sheet, askable: Sequence[User]) -> User | None:
    """The leader on call, else the first who holds the next office whose signature is missing."""
    order = [lack.role for lack in sheet.missing if lack.role in (Role.LEADER, Role.CHIEF)]
    if not order:
        return None
    held = [user for user in askable if order[0] in user.roles]
    on_call = [user for user in held if sheet.shift is not None and user.name == sheet.shift.leader]
    return next(iter([*on_call, *held]), None)
