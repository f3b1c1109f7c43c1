"""The roster's rules from their file: the shipped one opens, a wrong one is refused with its key."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest
from tests.contract.test_store_notices import notice

from geowarn.domain.duty import Part
from geowarn.domain.errors import Refused
from geowarn.domain.notice import Notice
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.resources import config_dir
from geowarn.roster_file import load_roster
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates

GOOD = 'needed = ["officer"]\nask_hours = [24, 1]\nanswer_minutes = [240, 20]\nahead_days = 7\nrest_hours = 12\n'
HOLIDAY = '[[holidays]]\nfirst = 2026-10-01\nlast = 2026-10-07\nname_zh = "国庆节"\nname_en = "National Day"\n'


def test_the_shipped_rules_open() -> None:
    rules = load_roster(config_dir() / "roster.toml")
    assert rules.ask_hours == (24, 1)
    assert rules.needed == frozenset(Part)
    assert [(band.start, band.end) for band in rules.bands] == [(time(8), time(20)), (time(20), time(8))]


def test_holidays_are_read(tmp_path: Path) -> None:
    file = tmp_path / "roster.toml"
    file.write_text(GOOD + HOLIDAY, "utf-8")
    (holiday,) = load_roster(file).holidays
    assert (holiday.first, holiday.last, holiday.name_zh) == (date(2026, 10, 1), date(2026, 10, 7), "国庆节")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (GOOD.replace("officer", "pilot"), "needed"),
        (GOOD.replace("[24, 1]", "[1, 24]"), "ask_hours"),
        (GOOD.replace("[24, 1]", "[]"), "ask_hours"),
        (GOOD.replace("[240, 20]", "[240]"), "answer_minutes"),
        (GOOD.replace("ahead_days = 7", "ahead_days = 0"), "ahead_days"),
        (GOOD + "hours = 3\n", "hours"),
        (GOOD + "bands = 3\n", "bands"),
        (GOOD + '[[bands]]\nname_zh = "白"\nname_en = "Day"\nstart = "8"\nend = "20:00"\n', "start"),
        (GOOD + HOLIDAY.replace("2026-10-07", "2026-09-07"), "last"),
        (GOOD + HOLIDAY.replace("2026-10-01", '"soon"'), "first"),
    ],
)
def test_a_wrong_file_is_refused_with_its_key(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "roster.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(Refused) as refused:
        load_roster(file)
    assert (refused.value.facts["file"], refused.value.facts["key"]) == ("roster.toml", key)


def asked(language: str, can_answer: bool) -> str:
    facts = {"start": "2026-07-23T12:00:00+00:00", "end": "2026-07-24T00:00:00+00:00", "part": "deputy"}
    facts |= {"by": "2026-07-22T16:00:00+00:00", "code": "482913"}
    made: Notice = notice(language=language, facts=facts)
    return NoticeWords(JinjaTemplates(), load_settings(None).sections()).text(made, can_answer)


def test_the_question_says_who_when_and_how_to_answer() -> None:
    assert asked("zh", True) == (
        "【烟台地灾预警】班前应答：您 7月23日20:00 至 7月24日08:00 任备班，请在 7月23日00:00 前确认。"
        "能到岗回复1，不能到岗回复2；也可在 http://127.0.0.1:8765/console/roster 输入 482913 确认。"
    )
    assert "回复" not in asked("zh", False)
    assert asked("en", True) == (
        "[Yantai Geohazard] You are deputy from 23 July 20:00 to 24 July 08:00. Please confirm before 23 July 00:00. "
        "Reply 1 if you will be there, 2 if you cannot. Or enter 482913 at http://127.0.0.1:8765/console/roster."
    )
