"""Every kind of entry has a sentence in both languages, and no sentence shows a code where there is a word."""

from __future__ import annotations

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader

import geowarn
from geowarn.catalogue import LANGUAGES
from geowarn.domain.case import Told
from geowarn.domain.ledger import chain
from geowarn.domain.level import Level
from geowarn.domain.people import User
from geowarn.resources import templates_dir
from geowarn.templating import JinjaTemplates
from geowarn.web.ledger_said import Teller, alone, sentence
from geowarn.web.wording import words_for

AT = datetime(2026, 7, 22, 18, 16, 2, tzinfo=UTC)
DUTY = User("duty", "值班员甲", "Duty officer A", frozenset(), "")


def kinds_in_code() -> set[str]:
    """The third argument of every call of `….ledger.append(…)`."""
    found = set()
    for path in Path(geowarn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_append = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("ledger.append")
            if is_append and isinstance(node.args[2], ast.Constant):  # type: ignore[attr-defined]
                found.add(str(node.args[2].value))  # type: ignore[attr-defined]
    return found


def tell(language: str, kind: str, payload: dict[str, Any], actor: str = "system", **more: Any) -> str:
    words = words_for(language, "Asia/Shanghai", None)
    entry = chain(None, AT, actor, kind, "w-1", payload)
    told = alone(entry)
    return sentence(JinjaTemplates(), Teller(words, {"duty": DUTY}, {}), Told(entry, {**told.facts, **more}))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_sentence(language: str) -> None:
    kinds = kinds_in_code()
    assert {"bulletin.released", "escalation.rung", "proposal.signed", "cap.key-made"} <= kinds
    macros = Environment(loader=FileSystemLoader(templates_dir()), trim_blocks=True, autoescape=True)
    said = macros.get_template(f"console/ledger-said.{language}.html.j2").module
    words = words_for(language, "Asia/Shanghai", None)
    assert [kind for kind in sorted(kinds) if not hasattr(said, kind.replace(".", "_").replace("-", "_"))] == []
    assert [kind for kind in sorted(kinds) if words.kind(kind) == kind] == []


def test_sentences_say_what_the_picture_says() -> None:
    signed = {"version": 2, "role": "chief", "second_factor": "totp"}
    assert tell("zh", "proposal.signed", signed) == "签批版本 2，动态口令"
    assert tell("en", "proposal.signed", signed) == "Version 2 signed as chief, one-time code"
    assert tell("zh", "escalation.rung", {"person": "duty", "told": True}) == "响铃：值班员甲，值班台、短信"
    answered = tell("zh", "escalation.answered", {"step": "duty-officer"}, since_rung=timedelta(seconds=493))
    assert answered == "应答：值班员核签，响铃后 8分13秒"
    counts = {"channel": "sms", "states": {"delivered": 29412, "failed": 671, "in-doubt": 6}}
    assert tell("en", "dispatch.reported", counts).endswith("delivered 29,412, failed 671, in doubt 6")
    seen = tell(
        "zh",
        "dispatch.results",
        {"channel": "website", "states": {"delivered": 1}},
        since_release=timedelta(seconds=0.6),
    )
    assert seen.endswith("送达 1，发布后 0.6 秒")


@pytest.mark.parametrize(("language", "who"), [("zh", "该单位第 2 联系人"), ("en", "contact 2 of the place")])
def test_a_contact_is_told_by_order_and_not_by_an_identifier(language: str, who: str) -> None:
    payload = {"kind": "call", "person": "cp-5c1d8f0a2b3e#2", "state": "delivered", "reason": None}
    entry = chain(None, AT, "system", "notice.result", "ca-1", payload)
    teller = Teller(words_for(language, "Asia/Shanghai", None), {"duty": DUTY}, {})
    assert teller.informed(alone(entry)) == who
    assert who in tell(language, "notice.result", payload)
    assert teller.person("duty") == DUTY.display(language)


def test_silence_is_told_by_counts_and_as_it_once_was_place_by_place() -> None:
    counts = {"places": {"county": 2, "site": 198}, "asked": 150, "turned": 50}
    said = tell("zh", "call.silent", counts)
    assert said.startswith("叫应无人应答：2 个县级值班室、198 处")
    assert said.endswith("150 处转下一联系人，50 处转人工上门")
    assert tell("en", "call.silent", counts).endswith("the next contact is called at 150, people go to 50")
    once = {"area": "370687", "place_kind": "county", "order": 1, "next": None}
    assert tell("en", "call.silent", once).endswith("contact 1 did not answer, people go there")
    assert tell("zh", "escalation.ended", {"step": "task", "outcome": "joined"}).endswith("又有单位须上门，重新响铃")


def test_levels_are_told_highest_first_and_without_those_below() -> None:
    levels = {"1": Level.YELLOW.code, "2": Level.RED.code, "3": "none", "4": None, "5": Level.YELLOW.code}
    assert "2红色；1、5黄色；" in tell("zh", "assessment.made", {"assessment": "a1", "levels": levels, "rules": "r 1"})


def test_what_people_wrote_is_escaped() -> None:
    assert "&lt;b&gt;" in tell("en", "proposal.returned", {"version": 1, "reason": "<b>"})


@pytest.mark.parametrize("kind", ["someone.elses", "rules.activated", "assessment.made", "proposal.version"])
def test_what_cannot_be_read_is_at_least_named(kind: str) -> None:
    assert tell("en", kind, {"levels": "nonsense", "new": 3, "content": ["?"]})


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_done_with_voices_and_answers_is_told_too(language: str) -> None:
    """Their kinds are put together from the name of the act or of the book."""
    acts = (
        "taken",
        "answered",
        "closed",
        "passed-on",
        "reopened",
        "linked",
        "contact-read",
        "erased",
        "received",
        "unfolded",
    )
    steps = ("opened", "drafted", "secrecy-checked", "signed", "published")
    words = words_for(language, "Asia/Shanghai", None)
    books = (f"{book}.{step}" for book in ("answer", "incident") for step in steps)
    for kind in (*(f"voice.{act}" for act in acts), *books):
        assert tell(language, kind, {"version": 2, "kind": "observation", "sign": "crack"}) not in ("", kind)
        assert words.kind(kind) != kind
    for kind in ("voice-danger", "voice-overdue", "voice-full"):
        assert kind not in tell(language, "task.opened", {"kind": kind})
    assert "应本人要求" in tell("zh", "voice.erased", {"why": "request"})
    assert "danger seen (crack)" in tell("en", "voice.received", {"kind": "observation", "sign": "crack"})
