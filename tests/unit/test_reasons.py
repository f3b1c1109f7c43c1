"""Refusals whose reason comes from a library are said in the reader's language, in the catalogue's words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.rules import load_rules
from geowarn.policy_file import load_policy
from geowarn.resources import config_dir
from geowarn.settings import load_settings

# What pydantic, tomllib and the system call things; none of it belongs into a Chinese sentence.
LIBRARY_WORDS = re.compile(r"Input|Extra|Field|should|Expected|Unbalanced|Invalid|No such|denied|codec|decode|valid ")


def both(refusal: Refused) -> tuple[str, str]:
    zh, en = explain(refusal, "zh"), explain(refusal, "en")
    assert not LIBRARY_WORDS.search(zh), zh
    kept = json.loads(json.dumps(refusal.kept()))
    assert explain(Refused(refusal.key, **kept), "zh") == zh, "the ledger keeps what is said"
    return zh, en


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        ("[hazard]\nwindow_hours = 48\n", "48 cannot be used; it takes: <= 24", "不能用 48；可用：<= 24"),
        ('[hazard]\nwindow_hours = "a"\n', "'a' cannot be used; it takes: 1, 2, 3", "不能用 'a'"),
        ("[hazard]\nwindows = 6\n", "no such setting; known here: model, rules, window_hours", "没有这个设置项"),
        ("[hazards]\nx = 6\n", "known here: installation, site", "此处可用：installation"),
        ('[publish]\nfrom = "pink"\n', "it takes: ^(blue|yellow|orange|red)$", "不能用 'pink'"),
        ('[installation]\nzone = "Yantai"\n', "it takes: Asia/Shanghai, UTC", "不能用 'Yantai'"),
        ("[sms]\nauth_token = 12345\n", "*** cannot be used", "不能用 ***"),
        ("[sms\n", "line 1, column 5 is not TOML", "第 1 行第 5 列不合 TOML 写法"),
        ("[sms]\nsender = ", "is not TOML", "不合 TOML 写法"),
        ("# \udcff\n", "from byte 2 on it is not text in UTF-8", "不是 UTF-8"),
    ],
)
def test_a_wrong_setting(tmp_path: Path, text: str, en: str, zh: str) -> None:
    (tmp_path / "geowarn.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Refused) as refused:
        load_settings(tmp_path)
    said = both(refused.value)
    assert zh in said[0]
    assert en in said[1]
    assert all("geowarn.toml" in one for one in said)
    assert "12345" not in said[1]


def test_a_wrong_setting_in_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOWARN_HAZARD__WINDOW_HOURS", "never")
    with pytest.raises(Refused) as refused:
        load_settings(None)
    assert all(one.startswith("GEOWARN_HAZARD__WINDOW_HOURS") for one in both(refused.value))


SHIPPED_POLICY = (config_dir() / "policy.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "key", "zh"),
    [
        ('blue = ["boss", "leader"]', "blue", "不能用 ['boss']；可用：[duty-officer, leader"),
        ("blue = 3", "blue", "不能用 3"),
        ('red = "leader"', "red", "不能用 'leader'"),
        ("orange = []", "orange", "没有写任何角色"),
        ("incident = []", "incident", "没有写任何角色"),
        ("retract =", "", "不合 TOML 写法"),
        ("yellow", "yellow", "缺少这一项"),
        ('second_factor = ["crimson"]', "second_factor", "可用：[blue, yellow, orange, red]"),
        ("course = 3", "course", "3 不是一组设置项"),
        ("review = 3", "review", "3 不是一组设置项"),
        ("clock = [1]", "clock", "[1] 不是一组设置项"),
        ("[course]\nlowering_runs = 1", "course.lowering_runs", "不能用 1；可用：2 … 240"),
        ('[review]\nsecrecy_levels = ["pink"]', "review.secrecy_levels", "可用：[blue, yellow, orange, red]"),
        ('[review]\nsecrecy_check = "leader"', "review.secrecy_check", "不能用 'leader'"),
        ('[review]\nsecrecy_levels = ["red"]\nsecrecy_check = []', "review.secrecy_check", "没有写任何角色"),
        ('[review]\nsecrecy_own_edit = "no"', "review.secrecy_own_edit", "不能用 'no'；可用：true, false"),
        ("[review]\ncode_tries = 11", "review.code_tries", "不能用 11；可用：1 … 10"),
        ('[review]\nlint_blocks = ["rhyme"]', "review.lint_blocks", "不能用 ['rhyme']"),
        ("[review]\nhurry = 1", "review.hurry", "此处可用：code_minutes"),
        ("[clock.red]\nagain_minutes = 0", "clock.red.again_minutes", "不能用 0；可用：1 … 1440"),
        ("[clock.red]\nchain = []", "clock.red.chain", "不能用 []；至少列出 duty-officer"),
        ('[clock.red]\nend_of_chain = ["round"]', "clock.red.end_of_chain", "不能用 ['round']"),
        ('[clock.blue]\non_silence = "release-first"', "clock.blue.on_silence", "release-first 只能用于橙色和红色"),
        ('[clock.tasks]\nkinds = ["no-forecasts"]', "clock.tasks.kinds", "不能用 ['no-forecasts']；可用：[all-clear"),
        ('[clock.tasks]\nkinds = ["review"]', "clock.tasks.kinds", "不能用 ['review']"),
    ],
)
def test_a_wrong_policy(tmp_path: Path, text: str, key: str, zh: str) -> None:
    """The shipped file with one value changed, and in its place nothing at all where only the key is given."""
    file, name = tmp_path / "policy.toml", text.split(" = ")[0]
    table = text.startswith("[") or name in ("course", "review", "clock")
    kept = SHIPPED_POLICY.split("# Hold and hysteresis")[0].splitlines()
    kept = [line for line in kept if table or not line.startswith(name.split(" ")[0])]
    file.write_text("\n".join([*kept, text if "=" in text else ""]), "utf-8")
    with pytest.raises(Refused) as refused:
        load_policy(file, Level.YELLOW)
    said, _ = both(refused.value)
    assert zh in said
    assert refused.value.facts.get("key", "") == key


def test_a_rule_file_that_cannot_be_read(tmp_path: Path) -> None:
    for name, data, zh in (
        ("gone.toml", None, "没有这个文件"),
        ("broken.toml", b'name = "x', "不合 TOML 写法"),
        ("latin.toml", b"# \xe9", "不是 UTF-8"),
        ("long.toml", b"#" * 1_000_001, "大于 1000000 B"),
    ):
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused) as refused:
            load_rules(tmp_path / name)
        said = both(refused.value)[0]
        assert zh in said
        assert name in said
    with pytest.raises(Refused) as refused:
        load_rules(tmp_path)
    assert "这是文件夹" in both(refused.value)[0]
