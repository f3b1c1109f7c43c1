"""Every shipped text can be understood and acted on; what cannot is found, with what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.catalogue import sentences
from geowarn.domain.level import Level
from geowarn.domain.lint import RULES, LintFacts, LintRules, LintText, lint
from geowarn.domain.package import Artefact, Package
from geowarn.domain.warning import Act, Content, Series
from geowarn.pipeline.lint_texts import Linter, lint_facts, load_lint_rules, public_texts
from geowarn.pipeline.slots import default_slots
from geowarn_channels.broadcast_item import PATH, item_bytes, item_of
from geowarn_channels.cap import cap_messages
from geowarn_channels.sms_wording import texts_of

STORM = {"370687": Level.RED, "370682": Level.ORANGE, "370686": Level.YELLOW, "370612": Level.BLUE}
MANY = {code: Level.YELLOW for code in ("370687", "370682", "370686", "370685", "370683", "370612")}
CASES = {
    "red": {"370687": Level.RED}, "orange": {"370682": Level.ORANGE}, "yellow": {"370686": Level.YELLOW},
    "storm": STORM, "many": MANY, "township": {"370687001": Level.RED}, "point": {"p-1": Level.ORANGE},
}  # fmt: skip


def package_of(drafts: Any, content: Content, synthetic: bool, earlier: tuple[Any, ...]) -> Package:
    """What people are told, rendered by the channels' own functions; pages say what their CAP message says."""
    draft, templates = drafts.draft(content, earlier, synthetic=synthetic), drafts.templates
    files = [Artefact(path, "text/plain", text.encode()) for path, _, text in texts_of(templates, draft)]
    files.append(Artefact(PATH, "application/json", item_bytes(item_of(draft, templates))))
    files += [Artefact(path, "application/cap+xml", body) for path, body in cap_messages(draft, templates).items()]
    return Package(content.as_json(), tuple(files))


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("case", CASES)
def test_every_shipped_text_passes(drafts: Any, case: str, act: Act) -> None:
    slots = default_slots(drafts.templates)
    before = drafts.content({"370685": Level.YELLOW, "370682": Level.YELLOW, **CASES[case]})
    earlier = () if act is Act.ISSUE else (drafts.released(before, 1),)
    linter = Linter(drafts.templates, drafts.facts)
    for synthetic, series in ((True, Series.REAL), (False, Series.EXERCISE)):
        made = drafts.content(CASES[case], act, slots=slots, series=series, reason="雨带已移出")
        package = package_of(drafts, made, synthetic, earlier)
        assert {text.kind for text in public_texts(package, made)} >= {"sms", "crawl", "title", "script", "notice"}
        assert linter.of(package, made, drafts.areas.values()) == ()


def findings(drafts: Any, kind: str, language: str, text: str, closing: bool = False) -> dict[str, dict[str, Any]]:
    facts = lint_facts(drafts.facts, drafts.areas.values(), drafts.templates)[language]
    found = lint(LintText("x", kind, language, text, closing), facts, load_lint_rules(drafts.templates)[language])
    assert [RULES.index(one.rule) for one in found] == sorted(RULES.index(one.rule) for one in found)
    return {one.rule: dict(one.facts) for one in found}


GOOD = {
    "zh": "【烟台地灾预警】红色预警：海阳市7月23日2时至24日2时发生滑坡风险很高。请立即撤到安置点。市气象台",
    "en": "[Yantai Geohazard] RED: very high risk of landslides, Haiyang City, until 24 July, 02:00. Leave now.",
}


@pytest.mark.parametrize(
    ("language", "old", "new", "rule"),
    [
        ("zh", "海阳市", "本市", "place"),
        ("zh", "7月23日2时至24日2时", "近期", "time"),
        ("zh", "发生滑坡风险很高", "风险很高", "danger"),
        ("zh", "请立即撤到安置点", "形势严峻", "action"),
        ("zh", "红色预警：", "有效雨量超限，", "jargon"),
        ("zh", "红色预警：", "累计达325.3毫米，", "millimetres"),
        ("zh", "市气象台", "详见 http://a.example/x", "address"),
        ("zh", "市气象台", "电话05351234567", "number"),
        ("zh", "风险很高。", "风险很高，" + "山高路险" * 12 + "。", "sentence"),
        ("en", "Haiyang City", "the region", "place"),
        ("en", "until 24 July, 02:00", "for some hours", "time"),
        ("en", "landslides", "slope trouble", "danger"),
        ("en", "Leave now", "Stay tuned as susceptibility is high", "jargon"),
        ("en", "RED:", "RED: 325.3 mm,", "millimetres"),
        ("en", "Leave now.", "Leave now. www.example.com", "address"),
        ("en", "Leave now.", "Leave now " + "or then " * 50, "sentence"),
    ],
)
def test_what_is_wrong_is_found(drafts: Any, language: str, old: str, new: str, rule: str) -> None:
    issuer = GOOD[language]
    assert findings(drafts, "sms", language, issuer) == {}
    label = "danger" if rule == "danger" else rule
    text = issuer.replace("烟台地灾预警", "烟台气象预警") if label == "danger" else issuer
    assert rule in findings(drafts, "sms", language, text.replace(old, new))


def test_a_text_without_its_issuer_is_found(drafts: Any) -> None:
    assert "issuer" in findings(drafts, "sms", "zh", "海阳市7月23日2时前滑坡风险很高。请撤离。")


@pytest.mark.parametrize(
    ("language", "name", "said", "named"),
    [
        ("en", "Group 23 of Shaogezhuang", "landslides in Group twenty-three of Shaogezhuang", True),
        ("zh", "第3村民组", "第三村民组有滑坡危险", True),
        ("zh", "第3村民组", "村民组有滑坡危险", False),
        ("en", "County 7", "a county with landslides", False),
    ],
)
def test_a_place_whose_number_is_read_out_is_named(language: str, name: str, said: str, named: bool) -> None:
    rules = LintRules({"script": ("place",)}, {}, {}, {}, "[。.]", by_words=False, one_action=1, action_length=1)
    found = lint(LintText("x", "script", language, said), LintFacts((name,), (), ()), rules)
    assert (not found) == named


def test_figures_in_a_script_are_found(drafts: Any) -> None:
    text = "烟台市气象台发布。海阳市从二十三日凌晨两点起有滑坡风险。请撤离，拨打12379。"
    assert findings(drafts, "script", "zh", text) == {"number": {"word": "12379"}}


def test_an_ending_needs_no_time(drafts: Any) -> None:
    text = "【烟台地灾预警】海阳市地灾红色预警已解除。可以返回。"
    assert findings(drafts, "sms", "zh", text, closing=True) == {}
    assert set(findings(drafts, "sms", "zh", text)) == {"time"}


@pytest.mark.parametrize(
    ("language", "text"),
    [("zh", "请撤到安置点。请关好门窗"), ("zh", "请" + "快" * 40), ("en", "Leave now. Do not return. Call a friend")],
)
def test_one_action_is_one(drafts: Any, language: str, text: str) -> None:
    assert "one-action" in findings(drafts, "action", language, text)


def test_internal_versions_have_no_text(drafts: Any) -> None:
    content = drafts.content({"370612": Level.BLUE}, slots={"action.blue.zh": "x"})
    assert public_texts(Package(content.as_json(), ()), content) == ()


def test_every_rule_has_its_sentence_with_what_to_do() -> None:
    for language in ("zh", "en"):
        said = {key for key in sentences(language) if key.startswith("lint.")}
        assert said == {f"lint.{rule}" for rule in RULES}
        assert all("{path}" in sentences(language)[key] for key in said)


@given(st.text(max_size=300), st.sampled_from(["sms", "crawl", "title", "script", "notice", "action"]))
def test_any_text_can_be_read(text: str, kind: str) -> None:
    from geowarn.settings import load_settings
    from geowarn.templating import JinjaTemplates

    templates = JinjaTemplates()
    for language, rules in load_lint_rules(templates).items():
        facts = lint_facts(load_settings(None).sections(), (), templates)[language]
        for one in lint(LintText("x", kind, language, text), facts, rules):
            assert one.rule in RULES
            names = set(re.findall(r"\{(\w+)\}", sentences(language)[one.key])) - {"path"}
            assert names <= set(one.facts)
