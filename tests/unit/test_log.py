"""House rule 14: a number never reaches a log line."""

from __future__ import annotations

import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from geowarn.log import configure, mask_numbers


@given(st.from_regex(r"\+[1-9][0-9]{7,14}", fullmatch=True), st.sampled_from(["to", "event", "reason"]))
def test_numbers_are_masked_in_every_text(number: str, key: str) -> None:
    line = mask_numbers(None, "info", {key: f"sent to {number}."})
    assert number not in str(line)
    assert number[3:] not in str(line)


def test_lines_are_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger("x").info("tried", to="+12025550123", n=3)
    structlog.reset_defaults()
    out, err = capsys.readouterr()
    assert out == ""
    line = json.loads(err)
    assert (line["event"], line["n"], line["to"]) == ("tried", 3, "+***")
