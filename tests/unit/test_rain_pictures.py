"""The pictures of rain: label in every one, nothing internal in public, every fact in words too."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import html
from tests.unit.test_rain_chart import BREAKS, evidence

from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.web.map_drawing import MapDrawer
from geowarn_channels.site_entry import site_artefacts
from geowarn_channels.svg_map import map_base

LEVELS = {"370687": Level.ORANGE, "370682": Level.YELLOW, "370612": Level.BLUE}


def parsed(page: str) -> Any:
    return html.fromstring(page)


def found(code: str, *rain: float) -> Assessment:
    mm = sum(rain)
    figures: dict[str, Any] = {"window_mm": mm, "window_mean_mm": mm / 2, "window_max_mm": mm * 2, "re_mm": mm + 10.0}
    return Assessment(code, LEVELS[code], False, evidence(list(rain), **figures))


def page(drafts: Any, language: str, assessments: dict[str, Assessment], **changes: Any) -> str:
    content = drafts.content(LEVELS, source="forecast", **changes)
    draft = drafts.draft(content, synthetic=True, assessments=assessments)
    files = {one.path: one for one in site_artefacts(drafts.templates, draft)}
    return str(files[f"website/page.{language}.html"].body.decode())


@pytest.fixture
def rain() -> dict[str, Assessment]:
    return {"370687": found("370687", 80.0, 90.0), "370682": found("370682", 30.0, 75.0), "370612": found("370612", 66)}


@pytest.mark.parametrize(("language", "word"), [("zh", "合成演示降雨"), ("en", "SYNTHETIC DEMO RAINFALL")])
def test_every_picture_bears_the_label_a_title_and_its_facts_in_words(
    drafts: Any, rain: dict[str, Assessment], language: str, word: str
) -> None:
    tree = parsed(page(drafts, language, rain))
    section = tree.xpath("//section[@aria-labelledby='r']")[0]
    pictures = section.xpath(".//svg[@role='img']")
    assert len(pictures) == 3
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for picture in pictures:
        assert word in "".join(picture.xpath(".//text/text()"))
        assert set(picture.get("aria-labelledby").split()) <= set(ids)
    words = " ".join(section.itertext())
    for figure in ("180.0", "85.0", "340.0", "90.0"):
        assert figure in words


def test_nothing_internal_shows_in_a_public_picture(drafts: Any, rain: dict[str, Assessment]) -> None:
    for language, words in (("zh", ("牟平区", "蓝色")), ("en", ("Muping District", "blue"))):
        section = parsed(page(drafts, language, rain)).xpath("//section[@aria-labelledby='r']")[0]
        text = " ".join(section.itertext())
        assert not any(word in text for word in words)
        assert len(section.xpath(".//svg[contains(@class, 'map')]//use[contains(@class, 'rt ')]")) == 2


def test_outlines_are_drawn_once_and_found_again(drafts: Any, rain: dict[str, Assessment]) -> None:
    tree = parsed(page(drafts, "zh", rain))
    ids = set(tree.xpath("//@id"))
    assert {reference[1:] for reference in tree.xpath("//use/@href")} <= ids
    assert len(page(drafts, "zh", rain).encode()) < 50_000


def test_older_evidence_gives_a_map_without_charts_and_none_gives_nothing(
    drafts: Any, rain: dict[str, Assessment]
) -> None:
    old = {
        code: Assessment(code, one.level, False, {"window_mm": 70.0, "breaks_mm": BREAKS, "re_mm": 80.0})
        for code, one in rain.items()
    }
    text = page(drafts, "zh", old)
    assert 'class="rc"' not in text
    assert 'aria-labelledby="r"' in text
    assert 'aria-labelledby="r"' not in page(drafts, "zh", {})
    assert 'aria-labelledby="r"' not in page(drafts, "zh", rain, assessment_id=None)


def test_the_console_map_is_darker_where_more_rain_falls(drafts: Any) -> None:
    base = map_base(drafts.areas)
    assert base.outlines
    drawn = MapDrawer().rain(drafts.areas, {"370687": 300.0, "370682": 60.0}, BREAKS)
    assert drawn is not None
    assert sorted(shape.tone for shape in drawn.shapes)[-2:] == [1, 5]
    assert {spot.text for spot in drawn.spots} == {"300", "60"}
    assert MapDrawer().rain(drafts.areas, {}, BREAKS) is None
