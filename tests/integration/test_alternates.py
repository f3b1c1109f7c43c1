"""Every enabled model on the same rain through the real store: kept, noted when it fails, named when far apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.test_assess import RULES, Bench, square

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Payload, Reading
from geowarn.domain.rules import RuleSet
from geowarn.hazard.id_threshold import IdThreshold
from geowarn.hazard.jma_swi import JmaSwi
from geowarn.hazard.lhasa11 import Lhasa11
from geowarn.hazard.rolling_multi import RollingMulti
from geowarn.pipeline.agreement import agreement_of
from geowarn.pipeline.alternates import REFUSED_KIND, Alternate
from geowarn.pipeline.assess import assess_all, evidence_sentence, replay
from geowarn.pipeline.rules import load_rules, parse_rules
from geowarn.ports import HazardModel, Rain
from geowarn.resources import config_dir
from geowarn.sources.rain_csv import RainCsvReader
from geowarn.templating import JinjaTemplates

HOUR = timedelta(hours=1)
STORM = [0, 2, 5, 30, 60, 40, 10, 2, *[0] * 16]  # mm by hour, 149 mm in all


class CountingReader(RainCsvReader):
    """The real reader, counting how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        self.reads += 1
        return super().read(files)


class ThirdParty:
    """A model as someone else might write it; what it does with the areas is up to the subclass."""

    name = "third-party"

    def check(self, rules: RuleSet) -> None:
        """Takes everything."""

    def history_hours(self, rules: RuleSet) -> int:
        return 24

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        return tuple(Assessment(area.code, Level.RED, False, {"model": self.name}) for area in areas)


class Raising(ThirdParty):
    def assess(self, *given: Any) -> tuple[Assessment, ...]:
        raise ZeroDivisionError("their own mistake")


class Short(ThirdParty):
    def assess(self, *given: Any) -> tuple[Assessment, ...]:
        return ()


class Unprintable(ThirdParty):
    def assess(self, areas: Sequence[Area], *given: Any) -> tuple[Assessment, ...]:
        return tuple(Assessment(area.code, None, False, {"model": self.name, "x": object()}) for area in areas)


def theirs() -> RuleSet:
    text = 'name = "third-party"\nversion = "7"\nmodel = "third-party"\ncalibrated = true\nsources = []\n[parameters]\n'
    return parse_rules(text.encode(), "third-party.toml")


def shipped(name: str) -> Alternate:
    return Alternate(name, lambda: load_rules(config_dir() / "rules" / f"{name}.toml"))


class Desk(Bench):
    """The small installation with every model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.counting = CountingReader()
        self.readers["csv"] = self.counting
        ours: list[HazardModel] = [RollingMulti(), IdThreshold(), JmaSwi(), Lhasa11()]
        self.models |= {model.name: model for model in ours}
        self.areas(square(folder))

    def storm(self) -> str:
        """A stored forecast of a storm from the present hour on, hourly observations of nothing before it."""
        noon = self.moment.replace(minute=0)
        before = [("sq", noon - (at + 1) * HOUR, noon - at * HOUR, "0", "observed") for at in range(24 * 15)]
        self.rain("before.csv", before)
        ahead = [("sq", noon + at * HOUR, noon + (at + 1) * HOUR, str(mm), "forecast") for at, mm in enumerate(STORM)]
        return self.rain("ahead.csv", ahead)

    def assess_all(self, forecast: str, also: Sequence[Alternate], **more: Any) -> tuple[AssessmentRun, ...]:
        return assess_all(
            self.store,
            self,
            self.readers,
            self.models,
            self.folder / "raw",
            None,
            forecast,
            rules=RULES,
            model="effrain-matrix",
            also=also,
            **{"window_hours": 24, "actor_text": "tester", **more},
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.store.dispose()


ALL = [shipped("rolling-multi"), shipped("id-threshold"), shipped("jma-swi"), shipped("lhasa11")]


def test_every_model_runs_on_rain_decoded_once_and_is_kept_beside(desk: Desk) -> None:
    forecast = desk.storm()
    desk.counting.reads = 0
    deciding, *others = desk.assess_all(forecast, ALL)
    assert desk.counting.reads == 2, "one forecast and one file of observations, for five models"
    assert [run.model for run in others] == ["rolling-multi", "id-threshold", "jma-swi", "lhasa11"]
    assert {run.beside for run in others} == {deciding.id}
    assert deciding.beside is None
    with desk.store.read() as work:
        assert work.assessments.latest() == (deciding,)
        assert sorted(work.assessments.beside(deciding.id), key=lambda run: run.id) == others
        made = [entry.subject for entry in work.ledger.entries() if entry.kind == "assessment.made"]
    assert made == [deciding.id, *(run.id for run in others)]
    levels = {run.model: run.assessments[0].level for run in (deciding, *others)}
    assert levels["lhasa11"] is None
    assert levels["rolling-multi"] == Level.YELLOW  # 100 mm in 2 h: over 90, under 135
    assert levels["id-threshold"] == Level.RED
    assert not any(run.assessments[0].lower_bound for run in (deciding, *others))


def test_an_alternate_changes_nothing_of_the_deciding_run(desk: Desk) -> None:
    forecast = desk.storm()
    alone = desk.assess(forecast, 24)
    beside, *_ = desk.assess_all(forecast, ALL)
    assert beside.assessments == alone.assessments
    assert beside.inputs == alone.inputs


def test_every_run_replays_bit_for_bit(desk: Desk) -> None:
    for run in desk.assess_all(desk.storm(), ALL):
        assert replay(desk.store, desk.readers, desk.models, desk.folder / "raw", None, run.id).equal


@pytest.mark.parametrize(
    ("model", "key", "said"),
    [
        (Raising(), "models.failed", "their own mistake"),
        (Short(), "models.unsound", "0 findings"),
        (Unprintable(), "models.unsound", "JSON"),
    ],
)
def test_a_third_partys_fault_is_noted_and_stops_nothing(desk: Desk, model: HazardModel, key: str, said: str) -> None:
    desk.models["third-party"] = model
    runs = desk.assess_all(desk.storm(), [Alternate("third-party", theirs), shipped("rolling-multi")])
    assert [run.model for run in runs] == ["effrain-matrix", "rolling-multi"]
    with desk.store.read() as work:
        (noted,) = [entry for entry in work.ledger.entries(subject=runs[0].id) if entry.kind == REFUSED_KIND]
        found = agreement_of(work, runs[0])
    payload = json.loads(noted.payload)
    assert (payload["alternate"], payload["key"]) == ("third-party", key)
    (silent,) = [voice for voice in found.voices if voice.run is None]
    for language in ("zh", "en"):
        assert said in silent.why(language)


def test_a_rule_file_that_is_missing_or_wrong_is_noted(desk: Desk) -> None:
    gone = Alternate("gone", lambda: load_rules(config_dir() / "rules" / "gone.toml"))
    runs = desk.assess_all(desk.storm(), [gone, shipped("logistic"), Alternate("third-party", theirs)])
    assert len(runs) == 1
    with desk.store.read() as work:
        silent = {voice.model: voice.why("en") for voice in agreement_of(work, runs[0]).voices if voice.run is None}
    assert "gone.toml" in silent["gone"]
    assert "logistic.toml: no model is called logistic" in silent["logistic"]
    assert "no model is called third-party" in silent["third-party"]


def test_models_two_levels_apart_are_named(desk: Desk) -> None:
    deciding, *_ = desk.assess_all(desk.storm(), ALL)
    with desk.store.read() as work:
        found = agreement_of(work, deciding)
    (gap,) = found.disagreements
    assert (gap.area, gap.apart) == ("sq", 3)
    assert gap.higher.model == "id-threshold"
    assert gap.sentence("方区", "zh").startswith("方区：id-threshold 判为I级（红色）")
    assert "jma-swi says IV blue, 3 levels apart" in gap.sentence("Square", "en")
    assert [voice.model for voice in found.voices] == [
        "effrain-matrix", "id-threshold", "jma-swi", "lhasa11", "rolling-multi"
    ]  # fmt: skip


def test_the_highest_of_all_models_decides_only_where_that_policy_is_on(desk: Desk) -> None:
    forecast = desk.storm()
    plain, *_ = desk.assess_all(forecast, ALL)
    highest, *others = desk.assess_all(forecast, ALL, max_of_models=True)
    (own,), (raised,) = plain.assessments, highest.assessments
    assert own.level is Level.ORANGE
    assert raised.level is Level.RED
    assert "max_of_models" not in own.evidence
    by = raised.evidence["max_of_models"]["by"]
    assert (by["model"], by["level"]) == ("id-threshold", "red")
    for language, words in (("en", "the level is I red, from id-threshold"), ("zh", "I级（红色），出自 id-threshold")):
        assert words in evidence_sentence(JinjaTemplates(), raised, language)
    assert len(others) == 4
    assert replay(desk.store, desk.readers, desk.models, desk.folder / "raw", None, highest.id).equal


def test_the_policy_is_said_where_nothing_is_raised(desk: Desk) -> None:
    run, *_ = desk.assess_all(desk.storm(), [shipped("rolling-multi")], max_of_models=True)
    (found,) = run.assessments
    assert found.level is Level.ORANGE
    assert "no other model says more" in evidence_sentence(JinjaTemplates(), found, "en")


def test_a_third_partys_model_brings_its_own_sentence(desk: Desk) -> None:
    class Speaking(ThirdParty):
        def assess(self, areas: Sequence[Area], *given: Any) -> tuple[Assessment, ...]:
            facts = {"model": self.name, "sentence": {"zh": "他们的依据。", "en": "Their reason."}}
            return tuple(Assessment(area.code, Level.BLUE, False, facts) for area in areas)

    desk.models["third-party"] = Speaking()
    _, theirs_run = desk.assess_all(desk.storm(), [Alternate("third-party", theirs)])
    assert theirs_run.rules == "third-party 7"
    assert evidence_sentence(JinjaTemplates(), theirs_run.assessments[0], "zh") == "他们的依据。"


def test_nobody_waits_for_an_alternate(desk: Desk) -> None:
    """What the deciding run leads to comes first, and its refusal does not keep the alternates from being kept."""
    seen: list[str] = []

    class Watching(ThirdParty):
        def assess(self, *given: Any) -> tuple[Assessment, ...]:
            seen.append("alternate")
            return super().assess(*given)

    def decided(run: AssessmentRun) -> None:
        seen.append(run.id)
        raise Refused("assess.no-areas")

    desk.models["third-party"] = Watching()
    with pytest.raises(Refused, match=r"assess\.no-areas"):
        desk.assess_all(desk.storm(), [Alternate("third-party", theirs)], decided=decided)
    with desk.store.read() as work:
        (run,) = work.assessments.latest()
        assert len(work.assessments.beside(run.id)) == 1
    assert seen == [run.id, "alternate"]
