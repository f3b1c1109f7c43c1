"""Content → rendered package: every channel, every language, and the matching retraction."""

from __future__ import annotations

from dataclasses import replace

from geowarn.domain.area import by_code
from geowarn.domain.errors import Refused
from geowarn.domain.package import Artefact, Package
from geowarn.domain.warning import Act, Content, Series
from geowarn.pipeline.desk import Desk
from geowarn.ports import BulletinDraft, Message, UnitOfWork

_CLOSING = frozenset({Act.LIFT, Act.CANCEL, Act.RETRACT})


def draft_of(
    desk: Desk, work: UnitOfWork, content: Content, warning_id: str | None, original: Content | None = None
) -> BulletinDraft:
    """Everything the channels may render `content` from."""
    run = work.assessments.get(content.assessment_id) if content.assessment_id else None
    released = work.bulletins.of_warning(warning_id) if warning_id else ()
    return BulletinDraft(
        content=content,
        areas=by_code(work.areas.all()),
        assessments={found.area: found for found in run.assessments} if run else {},
        earlier=tuple(b for b in released if b.series is not Series.INTERNAL),
        facts=desk.facts,
        publish_from=desk.policy.publish_from,
        original=original,
        prepared_at=desk.clock.now(),
    )


def messages_of(desk: Desk, draft: BulletinDraft) -> tuple[Message, ...]:
    """Every enabled channel's message; raises Refused with the first problem a channel names."""
    messages = tuple(desk.channels[name].prepare(draft) for name in sorted(desk.channels))
    for message in messages:
        if message.problems:
            key, facts = message.problems[0]
            raise Refused(key, **facts)
    return messages


def _artefacts(messages: tuple[Message, ...]) -> tuple[Artefact, ...]:
    return tuple(artefact for message in messages for artefact in message.artefacts)


def retraction_content(content: Content) -> Content:
    """The withdrawal that is prepared and signed together with `content` (house rule 7)."""
    return replace(
        content,
        act=Act.RETRACT,
        areas=tuple(replace(area, before=area.level) for area in content.areas),
        reason="",
        previous_bulletin=None,
    )


def render_package(desk: Desk, work: UnitOfWork, content: Content, warning_id: str | None) -> Package:
    """Render `content` for every channel; below the public level the package holds the content only.

    Raises Refused when a channel finds the message wrong: nothing that cannot be sent is ever offered for signing.
    """
    if content.highest < desk.policy.publish_from:
        return Package(content.as_json(), ())
    artefacts = _artefacts(messages_of(desk, draft_of(desk, work, content, warning_id)))
    if content.act in _CLOSING:
        return Package(content.as_json(), artefacts)
    undo = retraction_content(content)
    undo_draft = draft_of(desk, work, undo, warning_id, original=content)
    retraction = Package(undo.as_json(), _artefacts(messages_of(desk, undo_draft)))
    return Package(content.as_json(), artefacts, retraction)
