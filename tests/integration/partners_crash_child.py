"""One act of the partners' part in a process that kills itself: `partners_crash_child.py FOLDER ACT [PLACE]`.

ACT is `propose` (one request of the interface, with a fixed idempotency key) or `hooks` (derive and send all).
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration.crash_child import arm

from geowarn.bootstrap import System, open_system
from geowarn.domain.exercise import Pages
from geowarn.domain.level import Level
from geowarn.hook_service import hook_office
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.hook_events import derive
from geowarn.pipeline.hook_sending import send_next
from geowarn.pipeline.one_transaction import Answer, once
from geowarn.pipeline.propose import propose_by_hand
from geowarn.ports import Store

EXAMPLE = "370687"


def propose(system: System) -> None:
    from dataclasses import replace

    with system.store.read() as work:
        actor = Actor(find_user(work, "duty"), "api", "test")

    def act(store: Store) -> Answer:
        desk = replace(system.desk, store=store)
        made = propose_by_hand(desk, {EXAMPLE: Level.YELLOW}, 24, "裂缝", "网格员", actor)
        return Answer(201, made.warning_id)

    print(once(system.store, system.clock, system.vault, "k-1", "one-act", "f" * 64, 24, act).body)


def hooks(system: System) -> None:
    derive(system.store, system.clock, system.policy.publish_from, Pages.by(system.facts))
    office = hook_office(system)
    with system.store.read() as work:
        known = work.hooks.all()
    for hook in known:
        while send_next(office, hook.id) is not None:
            pass


def main(folder: str, act: str, place: str = "") -> None:
    if place:
        arm(place)
    opened = open_system(Path(folder))
    {"propose": propose, "hooks": hooks}[act](opened)
    opened.store.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
