"""A notice → the words a person on duty reads on the telephone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.notice import Notice
from geowarn.ports import Templates

_SYNTHETIC = {"zh": "合成演示降雨（非真实预报）。", "en": "Synthetic demo rain, not a real forecast. "}
_EXERCISE = {"zh": "【演练】", "en": "[EXERCISE] "}


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """Renders notices; `settings` are the effective settings by section."""

    templates: Templates
    settings: Mapping[str, Mapping[str, Any]]

    def text(self, notice: Notice, can_answer: bool, can_link: bool = False) -> str:
        """Signature, label, then the sentence of this kind; the same notice always gives the same text.

        The template sees every fact by name, `can_answer` (whether a reply is possible), `can_link` (whether a text
        with a link arrives), `site` and `console` (their addresses) and `when(moment)`, which reads an ISO time in the
        installation's zone.
        """
        language = notice.language
        body = self.templates.render(
            f"notice/{notice.kind}.{language}.txt.j2",
            **notice.facts,
            can_answer=can_answer,
            can_link=can_link,
            site=str(self.settings["site"]["public_url"]),
            console=f"{self.settings['site']['public_url']}/console",
            when=lambda moment: self._when(moment, language),
        )
        words = " ".join(body.split()) if language == "en" else "".join(line.strip() for line in body.splitlines())
        synthetic = _SYNTHETIC[language] if self.settings["installation"]["synthetic"] else ""
        exercise = _EXERCISE[language] if notice.facts.get("exercise") else ""
        signature = self.settings["sms"][f"signature_{language}"]
        return f"{f'【{signature}】' if language == 'zh' else f'[{signature}] '}{exercise}{synthetic}{words}"

    def _when(self, moment: str, language: str) -> str:
        """7月23日20:00, 23 July 20:00."""
        at = datetime.fromisoformat(moment).astimezone(ZoneInfo(str(self.settings["installation"]["zone"])))
        return f"{at.month}月{at.day}日{at:%H:%M}" if language == "zh" else f"{at.day} {at:%B %H:%M}"
