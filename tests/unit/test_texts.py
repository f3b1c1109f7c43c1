"""What the public reads, in both languages."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.domain.package import MARKER
from geowarn.domain.warning import Act, Series
from geowarn.pipeline.slots import default_slots
from geowarn_channels import texts
from geowarn_channels.moments import cap_time

STORM = {
    "370687": Level.RED,
    "370682": Level.ORANGE,
    "370686": Level.YELLOW,
    "370685": Level.YELLOW,
    "370683": Level.YELLOW,
    "370612": Level.BLUE,
}
SENTENCES = (texts.headline, texts.description, texts.instruction, texts.why)


def test_the_full_text_reads_like_the_office_writes(drafts: Any) -> None:
    draft = drafts.draft(drafts.content(STORM))
    assert texts.headline(drafts.templates, draft, None, "zh") == "烟台市发布地质灾害气象风险红色预警"
    assert texts.description(drafts.templates, draft, None, "zh") == (
        "根据未来24小时降雨预报及前期实际降雨量分析，7月23日2时至24日2时，海阳市降雨引发地质灾害的风险很高（红色预警），"
        "莱阳市风险高（橙色预警），栖霞市、招远市、莱州市风险较高（黄色预警）。"
    )
    english = texts.description(drafts.templates, draft, None, "en")
    assert "very high in Haiyang City (red warning), high in Laiyang City (orange warning) and elevated in" in english
    assert "from 23 July, 02:00 to 24 July, 02:00" in english


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("act", list(Act))
def test_every_text_opens_with_prefix_and_label_and_names_no_internal_area(
    drafts: Any, act: Act, language: str
) -> None:
    before = drafts.content({"370687": Level.ORANGE, "370682": Level.ORANGE})
    earlier = () if act is Act.ISSUE else (drafts.released(before, 1),)
    content = drafts.content(STORM, act, series=Series.EXERCISE)
    draft = drafts.draft(content, earlier, synthetic=True)
    opening = {
        "zh": "【演练】合成演示降雨（非真实预报）。",
        "en": "[EXERCISE] SYNTHETIC DEMO RAINFALL - NOT A REAL FORECAST. ",
    }[language]
    for sentence in SENTENCES:
        for level in (None, Level.RED, Level.ORANGE, Level.YELLOW):
            text = sentence(drafts.templates, draft, level, language)
            assert text.startswith(opening)
            assert len(text) > len(opening)
            assert "牟平" not in text
            assert "Muping" not in text
            assert not MARKER.search(text)
            assert "  " not in text


def test_no_text_holds_a_minute_and_none_ends_before_its_warning(drafts: Any) -> None:
    content = drafts.content(STORM)
    late = drafts.content(
        STORM, onset=content.onset + timedelta(minutes=17), expires=content.expires + timedelta(minutes=17)
    )
    draft = drafts.draft(late)
    assert texts.validity(draft, "zh") == "7月23日2时至24日3时"
    assert texts.validity(draft, "en") == "23 July, 02:00 to 24 July, 03:00"
    spoken = " ".join(s(drafts.templates, draft, None, lang) for s in SENTENCES for lang in ("zh", "en"))
    assert not re.search(r":(?!00)\d\d|\d分", spoken)


def test_what_start_and_end_share_is_said_once(drafts: Any) -> None:
    content = drafts.content(STORM)
    day = drafts.draft(drafts.content(STORM, expires=content.onset + timedelta(hours=6)))
    assert texts.validity(day, "zh") == "7月23日2时至8时"
    assert texts.validity(day, "en") == "23 July, 02:00 to 08:00"
    month = drafts.draft(drafts.content(STORM, expires=content.onset + timedelta(days=10)))
    assert texts.validity(month, "zh") == "7月23日2时至8月2日2时"


def test_more_than_three_areas_are_counted_in_their_kind(drafts: Any) -> None:
    counties = ("370687", "370682", "370686", "370685")
    four = drafts.draft(drafts.content({code: Level.RED for code in counties}))
    assert texts.area_phrase(drafts.templates, four, None, "zh") == "海阳市等4个区市"
    assert texts.area_phrase(drafts.templates, four, None, "en") == "Haiyang City and 3 other counties"
    assert texts.area_list(four, Level.RED, "zh") == "海阳市、莱阳市、栖霞市、招远市"
    mixed = drafts.draft(drafts.content({code: Level.RED for code in (*counties[:3], "zone-x")}))
    assert texts.area_phrase(drafts.templates, mixed, None, "zh") == "海阳市等4个地区"


def test_a_township_is_named_with_its_county(drafts: Any) -> None:
    draft = drafts.draft(drafts.content({"370687001": Level.RED}))
    assert texts.area_list(draft, None, "zh") == "海阳市方圆街道"
    assert texts.area_list(draft, None, "en") == "Fangyuan, Haiyang City"


def test_a_written_slot_replaces_the_default_and_nothing_else(drafts: Any) -> None:
    written = drafts.draft(drafts.content(STORM, slots={"action.red.zh": "请到学校避险。", "action.red.en": " "}))
    assert texts.action(drafts.templates, written, Level.RED, "zh") == "请到学校避险"
    assert texts.action(drafts.templates, written, Level.RED, "en").startswith("Leave slopes")
    assert default_slots(drafts.templates)["action.orange.zh"] == "隐患点人员请听从村镇安排撤离，停止山区户外作业"
    assert set(default_slots(drafts.templates, [Level.RED])) == {"action.red.zh", "action.red.en"}


def test_an_update_says_who_is_no_longer_warned(drafts: Any) -> None:
    before = drafts.released(drafts.content({"370687": Level.YELLOW, "370683": Level.YELLOW}), 1)
    content = drafts.content({"370687": Level.RED}, Act.UPDATE)
    draft = drafts.draft(content, (before,))
    assert texts.headline(drafts.templates, draft, None, "zh").endswith("升级为红色")
    assert texts.description(drafts.templates, draft, None, "zh").endswith("莱州市不再列入预警。")
    assert "海阳市已改发其他级别" in texts.description(drafts.templates, draft, Level.YELLOW, "zh")
    lower = drafts.draft(drafts.content({"370687": Level.YELLOW}, Act.UPDATE), (drafts.released(content, 2),))
    assert texts.headline(drafts.templates, lower, None, "zh").endswith("降为黄色")


def test_a_township_under_a_warned_county_is_not_called_free(drafts: Any) -> None:
    before = drafts.released(drafts.content({"370687": Level.YELLOW, "370687001": Level.RED}), 1)
    draft = drafts.draft(drafts.content({"370687": Level.YELLOW}, Act.UPDATE), (before,))
    assert "不再列入" not in texts.description(drafts.templates, draft, None, "zh")


def test_a_cancel_gives_its_reason_and_a_retraction_asks_to_forget(drafts: Any) -> None:
    cancel = drafts.draft(drafts.content(STORM, Act.CANCEL, reason="预报输入有误。"))
    assert texts.description(drafts.templates, cancel, None, "zh").endswith("原因：预报输入有误。")
    assert "预报" not in texts.description(drafts.templates, cancel, None, "en")
    retract = drafts.draft(drafts.content(STORM, Act.RETRACT))
    assert "有误，现予撤回" in texts.description(drafts.templates, retract, Level.RED, "zh")


def test_why_gives_whole_millimetres_and_says_when_thresholds_are_defaults(drafts: Any) -> None:
    rain = {"370687": Assessment("370687", Level.RED, False, {"re_mm": 325.34})}
    draft = drafts.draft(drafts.content(STORM, calibrated=False), assessments=rain)
    said = texts.why(drafts.templates, draft, None, "zh")
    assert said == "预报雨量加上前几天的雨，海阳市相当于325毫米。阈值为未经本地率定的默认值。"
    by_hand = drafts.draft(drafts.content(STORM, assessment_id=None, source="网格员电话"))
    assert "现场情况" in texts.why(drafts.templates, by_hand, None, "zh")
    assert "电话" not in texts.description(drafts.templates, by_hand, None, "zh")


def test_utc_is_written_as_minus_zero(drafts: Any) -> None:
    onset = drafts.content(STORM).onset
    assert cap_time(onset, "UTC") == "2026-07-22T18:00:00-00:00"
    assert cap_time(onset.replace(microsecond=5), "Asia/Shanghai") == "2026-07-23T02:00:00+08:00"


@pytest.mark.parametrize(("written", "read"), [("请走", "请走。"), ("请走！", "请走！"), ("请走。", "请走。")])
def test_an_action_that_was_ended_by_hand_gets_no_second_full_stop(drafts: Any, written: str, read: str) -> None:
    content = drafts.content({"370686": Level.YELLOW}, slots={"action.yellow.zh": written})
    text = texts.instruction(drafts.templates, drafts.draft(content), None, "zh")
    assert read in text
    assert not re.search("[。！][。！]", text)
