"""Two people wrote at once: nobody's text is lost, and one goes on from what the other saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from geowarn.pipeline.desk import find_warning, under_review
from geowarn.web.access import Visit


@dataclass(frozen=True, slots=True)
class TwoTexts:
    """One slot: what stands now, what this person wrote, and what both began from."""

    slot: str
    theirs: str
    mine: str
    before: str

    @property
    def apart(self) -> bool:
        """Whether both differ in it."""
        return self.theirs != self.mine


def both_texts(visit: Visit, name: str, mine: Mapping[str, str], version: int) -> Response:
    """The page that shows both texts side by side; its form begins from the newest version."""
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        proposal = under_review(work, warning.id)
        seen = next((v for v in work.proposals.of_warning(warning.id) if v.version == version), None)
        users = {user.name: user for user in work.users.all()}
    began = seen.content.slots if seen else {}
    rows = [
        TwoTexts(slot, text, mine.get(slot, text), began.get(slot, "")) for slot, text in proposal.content.slots.items()
    ]
    return visit.page(
        "conflict",
        409,
        warning=warning,
        proposal=proposal,
        version=version,
        users=users,
        content=proposal.content,
        rows=[row for row in rows if row.apart],
    )
