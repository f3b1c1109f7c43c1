"""Letters to people who asked for something: the outbox of notices, over mail; nothing of it enters the ledger.

A letter is only ever the answer to a form, so what becomes of it is nobody's task: whoever gets none asks again. Where
nobody knows whether it arrived it is settled as in doubt at once, since a mail server cannot be asked. A fault that
every further letter would meet too is a person's task, and nothing is tried meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, Refused, SendFailure
from geowarn.domain.notice import Notice
from geowarn.pipeline.notice_lane import Answer, Job, NoticeLane
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.outcome import channel_fault, reason_of
from geowarn.ports import Clock, Letter, Notices, Postman, Receipt, Store, Templates, UnitOfWork, Vault

_SYNTHETIC = {"zh": "合成演示降雨（非真实预报）", "en": "Synthetic demo rain, not a real forecast"}
_PAGES = {"confirm": "subscribe-confirm", "choices": "subscribe-choices"}


@dataclass(frozen=True, slots=True)
class LetterWords:
    """Renders letters; `settings` are the effective settings by section."""

    templates: Templates
    settings: Mapping[str, Mapping[str, Any]]

    def letter(self, notice: Notice, address: str, token: str) -> Letter:
        """Text and page of one letter: the same sentences, the link once."""
        language = notice.language
        start = "" if language == "zh" else "en/"
        link = f"{self.settings['site']['public_url']}/{start}{_PAGES[notice.kind]}?token={token}"
        lines = self.templates.render(
            f"mail/{notice.kind}.{language}.txt.j2",
            office=self.settings["installation"][f"name_{language}"],
            link=link,
            until=self._when(str(notice.facts["until"]), language),
            hours=notice.facts["hours"],
        ).splitlines()
        subject, *said = [" ".join(line.split()) for line in lines if line.strip()]
        if self.settings["installation"]["synthetic"]:
            said.append(_SYNTHETIC[language])
        html = self.templates.render(
            "mail/letter.html.j2", language=language, subject=subject, paragraphs=said, link=link
        )
        return Letter(notice.id, address, language, subject, "\n\n".join(said) + "\n", html, notice.created_at)

    def _when(self, moment: str, language: str) -> str:
        at = datetime.fromisoformat(moment).astimezone(ZoneInfo(str(self.settings["installation"]["zone"])))
        at -= timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)  # never later than it holds
        return f"{at.month}月{at.day}日{at.hour}时" if language == "zh" else f"{at.day} {at:%B, %H}:00"


class LetterLane(NoticeLane):
    """Sends letters that are due."""

    def __init__(
        self, store: Store, postman: Postman, vault: Vault, clock: Clock, words: LetterWords, owner: str
    ) -> None:
        super().__init__(store, None, vault, clock, NoticeWords(words.templates, words.settings), owner)
        self._postman, self._letters = postman, words
        self._pace = self._pace_of(postman.timeout_seconds)
        self._paused_until: datetime | None = None

    def _rows(self, work: UnitOfWork) -> Notices:
        return work.letters

    def _noted(self, work: UnitOfWork, notice: Notice, at: datetime) -> None:
        """What became of it stands in its row for some days."""

    def _waiting(self) -> bool:
        paused = self._paused_until is not None and self._clock.now() < self._paused_until
        return not paused and super()._waiting()

    def _job(self, work: UnitOfWork, notice: Notice) -> Job:
        try:
            opened = json.loads(self._vault.open(bytes.fromhex(str(notice.facts["code"]))))
            letter = self._letters.letter(notice, opened["address"], opened["token"])
        except Refused as refusal:
            return Job(notice, failure=PermanentFailure(refusal.key, alarm=True))
        except Exception as error:  # a template of an installation's own may fail in any way
            return Job(notice, failure=PermanentFailure("notices.no-text", code=type(error).__name__, alarm=True))
        return Job(notice, letter=letter)

    def _call(self, job: Job) -> Receipt:
        if job.letter is None:
            raise OutcomeUnknown("deliver.channel-fault", alarm=True)
        return self._postman.carry(job.letter)

    def _look_up(self, job: Job) -> Receipt | None:
        raise OutcomeUnknown("deliver.cannot-ask")

    def _judged(self, notice: Notice, answer: Answer, now: datetime) -> Notice:
        after = super()._judged(notice, answer, now)
        return replace(after, next_try_at=None, settled_at=now) if after.state is DispatchState.IN_DOUBT else after

    def _alarm(self, work: UnitOfWork, answer: Answer, now: datetime) -> None:
        if isinstance(answer, SendFailure) and answer.alarm:
            self._paused_until = now + self._pace.pause
            channel_fault(work, "mail", reason_of(answer), now)
