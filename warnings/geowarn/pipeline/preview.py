"""What an act would say and whom it would reach, before anybody proposes it; nothing is stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.exercise import trial_targets
from geowarn.domain.package import Package
from geowarn.domain.warning import Content
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.change import CHANGERS, Making
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.fanout import dispatches_for
from geowarn.pipeline.mailing import mailing_list
from geowarn.pipeline.render import render_package
from geowarn.pipeline.told import dispatched


@dataclass(frozen=True, slots=True)
class Preview:
    """The rendered package of a content, and how many targets each of its texts has, by channel and file."""

    warning_id: str
    content: Content
    package: Package
    reached: dict[tuple[str, str], int]


def preview(desk: Desk, make: Making, actor: Actor) -> Preview:
    """Render what `make` makes and count whom it would go to if it were released now; raises what proposing would."""
    actor.need_somewhere(*CHANGERS)
    now = desk.clock.now()
    with desk.store.read() as work:
        warning_id, content = make(work)
        actor.need(*CHANGERS, work=work, areas=codes_of(content))
        package = render_package(desk, work, content, warning_id)
        chain = work.bulletins.of_warning(warning_id)
        channels = desk.facts["channels"]
        drafted = Bulletin(
            id="preview", warning_id=warning_id, proposal_id="preview", series=content.series, year=now.year, serial=0,
            number="", slug="", released_at=now, content=content, package_sha256=package.sha256, late={},
            artefacts={artefact.path: artefact.sha256 for artefact in package.artefacts},
        )  # fmt: skip
        rows = dispatches_for(
            drafted,
            channels=desk.channels,
            recipients=work.recipients.all(),
            areas=by_code(work.areas.all()),
            stations=tuple(channels.get("stations", {})),
            partners=tuple(channels.get("webhooks", {})),
            earlier=dispatched(work, chain),
            publish_from=desk.policy.publish_from,
            release_at=now,
            trials=trial_targets(desk.facts),
            mailing=mailing_list(work, desk.facts),
        )
    reached = Counter((row.channel, row.variant) for row in rows)
    return Preview(warning_id, content, package, dict(sorted(reached.items())))
