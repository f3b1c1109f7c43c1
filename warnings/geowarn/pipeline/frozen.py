"""The bytes of a release: late fields filled in, then sealed by the channels that sign."""

from __future__ import annotations

from collections.abc import Mapping

from geowarn.domain.errors import Refused
from geowarn.domain.package import MARKER, Artefact, Package, filled
from geowarn.pipeline.desk import Desk


def freeze(desk: Desk, package: Package, late: Mapping[str, str]) -> tuple[Artefact, ...]:
    """The artefacts as they leave; raises Refused where a late field is left or a seal cannot be made."""
    frozen = filled(package.artefacts, late)
    left = sorted({name for a in frozen for name in MARKER.findall(a.body.decode("utf-8", "ignore"))})
    if left:
        raise Refused("release.late-field-left", fields=", ".join(left))
    for channel in desk.channels.values():
        seal = getattr(channel, "seal", None)
        if seal is not None:
            frozen = tuple(seal(artefact) for artefact in frozen)
    return frozen
