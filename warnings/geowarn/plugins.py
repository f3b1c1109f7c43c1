"""Readers, models and channels by entry point; a broken one stands aside and says so, and stops nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NoReturn

from geowarn.domain.errors import Refused

OURS = "geowarn"
_MEMBERS = {
    "geowarn.sources": ("name", "read"),
    "geowarn.fetchers": ("name",),
    "geowarn.verifiers": ("name", "fingerprint", "schema_faults", "verify"),
    "geowarn.models": ("name", "check", "history_hours", "assess"),
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Stands where a part could not be loaded: whoever asks it for anything is refused with the reason."""

    group: str
    name: str
    distribution: str
    reason: str

    def refusal(self) -> Refused:
        """What is wrong, and with which distribution."""
        facts = {"group": self.group, "name": self.name, "reason": self.reason}
        return Refused("models.broken-part", **facts, distribution=self.distribution)

    def named(self) -> str:
        """What it is, whose, and why, for a list."""
        return f"{self.group} {self.name} ({self.distribution}: {self.reason})"

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise self.refusal()

    check = history_hours = assess = read = configured = _refuse


def adapters(group: str) -> dict[str, Any]:
    """Every part of a group by name, ours before a third party's of the same name."""
    found: dict[str, Any] = {}
    for point in _ordered(entry_points(group=group)):
        if point.name not in found:
            found[point.name] = _load(group, point)
    return found


def broken(groups: Iterable[str] = tuple(_MEMBERS)) -> tuple[Broken, ...]:
    """What could not be loaded, and third parties' parts whose name is taken."""
    faults: list[Broken] = []
    for group in groups:
        points = _ordered(entry_points(group=group))
        faults += [one for point in points if isinstance(one := _load(group, point), Broken)]
        names = [point.name for point in points]
        taken = [point for at, point in enumerate(points) if point.name in names[:at]]
        faults += [Broken(group, point.name, _distribution(point), "the name is taken") for point in taken]
    return tuple(faults)


def refuse_broken(faults: tuple[Broken, ...]) -> None:
    """Raise Refused naming every one of them, if there are any."""
    if len(faults) == 1:
        raise faults[0].refusal()
    if faults:
        raise Refused("models.broken-parts", count=len(faults), parts="; ".join(one.named() for one in faults))


def _ordered(points: Iterable[EntryPoint]) -> list[EntryPoint]:
    return sorted(points, key=lambda point: (_distribution(point) != OURS, _distribution(point), point.name))


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "-"


def _load(group: str, point: EntryPoint) -> Any:
    try:
        made = point.load()()
    except Exception as error:  # a third party's module may raise anything when it is imported
        return Broken(group, point.name, _distribution(point), f"{type(error).__name__}: {error}"[:300])
    missing = [member for member in _MEMBERS.get(group, ()) if not hasattr(made, member)]
    if missing:
        return Broken(group, point.name, _distribution(point), f"lacks {', '.join(missing)}")
    return made
