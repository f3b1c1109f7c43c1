"""The field for the second factor: only where the act needs it, and in a demo with the code beside it."""

from __future__ import annotations

from dataclasses import dataclass

from geowarn.domain.warning import Content
from geowarn.pipeline.demo_factor import published_code
from geowarn.pipeline.second_factor import factor_in_use
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit


@dataclass(frozen=True, slots=True)
class Asked:
    """How a form asks: `enrolled` says whether the person can answer, `demo_code` is a demo's help."""

    enrolled: bool
    demo_code: str


def factor_asked(visit: Visit, work: UnitOfWork, content: Content) -> Asked | None:
    """How a form about this content asks for the second factor; None where it does not."""
    return factor_field(visit, work) if visit.system.policy.asks_factor(content) else None


def factor_field(visit: Visit, work: UnitOfWork) -> Asked:
    """How a form asks this person."""
    system, name = visit.system, visit.user.name
    shown = published_code(work, system.vault, name, visit.now) if system.settings.installation.synthetic else ""
    return Asked(factor_in_use(work, name), shown)
