"""The review page shows what every model says, and names in words where two of them are far apart."""

from __future__ import annotations

from typing import Any

import pytest
from lxml.html import HtmlElement, document_fromstring
from starlette.testclient import TestClient

from geowarn.bootstrap import System
from geowarn.demo.play import proposal_rises, storm_comes
from geowarn.demo.setting import password_of
from geowarn.domain.area import AreaKind
from geowarn.pipeline.agreement import agreement_of, most_telling
from geowarn.pipeline.rules import parse_rules
from geowarn.ports import Activation
from geowarn.web.app import create_app

OURS = {"Sec-Fetch-Site": "same-origin"}


def section(text: str) -> Any:
    """The section of the page, its words in one line each."""
    tree: HtmlElement = document_fromstring(text)
    (found,) = tree.xpath("//section[@id='agreement']")
    return found


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


@pytest.mark.slow
def test_models_and_disagreements_stand_on_the_review_page(demo_system: System) -> None:
    run = storm_comes(demo_system)
    proposal = proposal_rises(demo_system, run)
    assert proposal is not None
    with demo_system.store.read() as work:
        found = agreement_of(work, run)
        names = {area.code: area for area in work.areas.all()}
    assert [voice.model for voice in found.voices] == ["effrain-matrix", "id-threshold", "rolling-multi"]
    assert found.disagreements, "the demo storm is made so that the models differ"
    client = TestClient(create_app(demo_system))
    form = {"name": "duty", "password": password_of("duty")}
    assert client.post("/console/login", data=form, headers=OURS).status_code == 200
    for language, heading in (("zh", "依据与分歧"), ("en", "Models and disagreement")):
        page = client.get(f"/console/warnings/{proposal.warning_id}?lang={language}")
        assert page.status_code == 200
        shown = section(page.text)
        assert words(shown.find(".//h2")) == heading
        said = [words(item) for item in shown.findall(".//li")]
        first = most_telling(found.disagreements, names)[0]
        assert names[first.area].kind is AreaKind.COUNTY
        assert said[0] == first.sentence(names[first.area].name(language), language)
        models = [words(head) for head in shown.xpath(".//details//tbody/tr/th")]
        assert len(models) == 3
        assert all(head.startswith(voice.model) for head, voice in zip(models, found.voices, strict=True))


def test_a_rule_set_switched_on_for_an_alternate_holds(demo_system: System) -> None:
    (rolling, curves) = demo_system.alternates()
    assert (rolling.name, curves.name) == ("rolling-multi", "id-threshold")
    shipped = rolling.load()
    text = shipped.text.replace('version = "1"', 'version = "2"', 1)
    changed = parse_rules(text.encode(), "rolling-multi.toml")
    with demo_system.store.begin() as work:
        work.rules.save(changed)
        now = demo_system.clock.now()
        work.rules.activate(Activation("act-1", "rolling-multi", changed.digest, now, "duty", "own events"))
        work.commit()
    assert (rolling.load().version, rolling.load().digest) == ("2", changed.digest)
    assert curves.load().version == "1"
