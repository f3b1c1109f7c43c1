"""Content → rendered package: every channel, every language, and the matching retraction."""

from __future__ import annotations

from dataclasses import replace

from geowarn.domain.area import by_code
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import PREFIX, exercise_facts
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
        facts=exercise_facts(desk.facts) if content.series is Series.EXERCISE else desk.facts,
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


def _check_prefix(content: Content, artefacts: tuple[Artefact, ...]) -> None:
    """Every text of an exercise says so, whatever templates an installation has; nothing real ever does."""
    exercise = content.series is Series.EXERCISE
    for artefact in artefacts:
        said = any(word in artefact.body.decode("utf-8", "ignore") for word in PREFIX.values())
        if said is not exercise and (said or not artefact.media_type.startswith("image/png")):
            raise Refused("exercise.prefix-missing" if exercise else "exercise.prefix-in-real", path=artefact.path)


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
    _check_prefix(content, artefacts)
    if content.act in _CLOSING:
        return Package(content.as_json(), artefacts)
    undo = retraction_content(content)
    undo_draft = draft_of(desk, work, undo, warning_id, original=content)
    undoing = _artefacts(messages_of(desk, undo_draft))
    _check_prefix(content, undoing)
    retraction = Package(undo.as_json(), undoing)
    return Package(content.as_json(), artefacts, retraction)
