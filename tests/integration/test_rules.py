"""A changed rule set: what it would have said, switching it on, and every run computed again bit for bit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.season import play_season
from tests.integration.test_assess import Bench
from tests.integration.test_command_line import good, refused

from geowarn.bootstrap import System, active_rules, open_system
from geowarn.cli.rules import ground_of
from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.rain import Payload, Reading
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.assess import replay
from geowarn.pipeline.ingest import ingest
from geowarn.pipeline.replay import Ground, changes, replay_under, replay_with_alternates
from geowarn.pipeline.rule_acts import last_comparison, remember, switch_on
from geowarn.pipeline.rule_diff import SeasonDiff, compare_season, season_runs
from geowarn.pipeline.rules import load_rules, parse_rules
from geowarn.resources import config_dir
from geowarn.sources.rain_csv import RainCsvReader

SHIPPED = config_dir() / "rules" / "effrain-matrix.toml"
CROZIER = config_dir() / "rules" / "effrain-matrix-crozier.toml"
DAY = timedelta(hours=24)


def changed(old: str, new: str, version: str = "2") -> RuleSet:
    text = SHIPPED.read_text("utf-8")
    assert old in text
    return parse_rules(text.replace(old, new).replace('version = "1"', f'version = "{version}"').encode(), "own.toml")


LOWER = changed("[50, 70, 110, 160, 250]", "[40, 60, 90, 140, 200]")


@pytest.fixture(scope="module")
def season(demo_now: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play_season(demo_now, tmp_path_factory.mktemp("rules") / "data")


@pytest.fixture
def system(season: Path, tmp_path: Path) -> Iterator[System]:
    found = open_system(Path(shutil.copytree(season, tmp_path / "data")))
    yield found
    found.store.dispose()


def compared(system: System, new: RuleSet, old: RuleSet | None = None) -> SeasonDiff:
    ground = ground_of(system)
    runs = season_runs(ground, new.model, None, None, system.clock.now())
    return compare_season(ground, runs, old or active_rules(system), new, lambda done, total: None)


def test_the_same_rules_change_nothing(system: System) -> None:
    found = compared(system, load_rules(SHIPPED))
    assert (found.runs, found.up, found.down, found.same) == (2, 0, 0, 2 * 177)
    assert not found.rises
    assert not found.by_area


def test_a_comparison_counts_what_a_replay_of_every_run_says(system: System) -> None:
    found = compared(system, LOWER)
    pairs = []
    with system.store.read() as work:
        runs = [run.id for run in work.assessments.latest()]
    assert len(runs) == 2
    for run in runs:
        stored, again, _ = ground_of(system).replay(run, LOWER)
        pairs += [(a.level, b.level) for a, b in zip(stored.assessments, again.assessments, strict=True)]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    assert found.up == sum(b > a for a, b in known) > 0
    assert found.down == sum(b < a for a, b in known) == 0
    assert found.same == sum(a == b for a, b in pairs)
    assert found.matrix[None, None] == sum(a is None for a, _ in pairs) > 0
    assert sum(found.matrix.values()) == len(pairs)
    assert sum(up for up, _ in found.by_area.values()) == found.up
    backwards = compared(system, load_rules(SHIPPED), LOWER)
    assert (backwards.up, backwards.down) == (found.down, found.up)
    assert backwards.falls[0].before.level is Level.RED


def test_an_interrupted_comparison_goes_on_where_it_was(system: System) -> None:
    ground = ground_of(system)
    runs = season_runs(ground, LOWER.model, None, None, system.clock.now())

    def stop(done: int, total: int) -> None:
        assert (done, total) == (1, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_season(ground, runs, active_rules(system), LOWER, stop)
    whole = compared(system, LOWER)
    with system.store.read() as work:
        first = work.forecasts.get(runs[0].forecast_id)
    assert first is not None
    (system.raw_dir / first.payload_digest).unlink()  # only what was kept can answer for the first run now
    assert compared(system, LOWER) == whole
    kept = system.cache_dir / "rules" / LOWER.digest / f"{runs[0].id}.json.gz"
    kept.write_bytes(kept.read_bytes()[:40])
    damaged = compared(system, LOWER)
    assert [one.run for one in damaged.failures] == [runs[0].id]
    assert damaged.failures[0].refusal.key == "ingest.raw-missing"
    assert damaged.runs == 1


def actor(system: System, name: str) -> Actor:
    with system.store.read() as work:
        return Actor(find_user(work, name), "command line", "test")


def switched(system: System, rules: RuleSet, name: str = "leader", reason: str = "率定") -> None:
    old = active_rules(system)
    summary = last_comparison(system.cache_dir, old, rules)
    switch_on(system.store, system.clock, system.models, rules, old, actor(system, name), reason, summary)


def test_switching_on_is_an_act_of_a_person_and_holds_everywhere(system: System) -> None:
    before = active_rules(system)
    remember(system.cache_dir, compared(system, LOWER))
    switched(system, LOWER)
    assert active_rules(system) == LOWER
    with system.store.read() as work:
        entry = work.ledger.entries(subject="ra000001")[-1]
        assert work.rules.get(before.digest) is not None
    assert entry.kind == "rules.activated"
    assert entry.actor.startswith("leader ")
    facts = json.loads(entry.payload)
    assert facts["old"]["digest"] == before.digest
    assert facts["new"]["digest"] == LOWER.digest
    assert facts["compared"]["up"] > 0
    assert facts["reason"] == "率定"
    switched(system, load_rules(SHIPPED), "admin", "back")
    assert active_rules(system).digest == before.digest


@pytest.mark.parametrize(
    ("key", "rules", "name", "reason"),
    [
        ("people.role-missing", LOWER, "duty", "x"),
        ("people.role-missing", LOWER, "observatory", "x"),
        ("rules.reason-missing", LOWER, "leader", "  "),
        ("rules.parameter", changed("k = 0.79", "k = 7.9"), "leader", "x"),
        ("rules.version-taken", changed("k = 0.79", "k = 0.80", "1"), "chief", "x"),
    ],
)
def test_what_may_not_be_switched_on(system: System, key: str, rules: RuleSet, name: str, reason: str) -> None:
    before = active_rules(system)
    with system.store.read() as work:
        head = work.ledger.head()
    with pytest.raises(Refused) as no:
        switched(system, rules, name, reason)
    assert no.value.key == key
    assert active_rules(system) == before
    with system.store.read() as work:
        assert work.ledger.head() == head
        assert work.rules.active("effrain-matrix") is None


def test_rules_as_a_person_types_them(system: System, tmp_path: Path) -> None:
    data = system.data_dir
    file, clash = tmp_path / "own.toml", tmp_path / "clash.toml"
    file.write_text(LOWER.text, encoding="utf-8")
    clash.write_text(SHIPPED.read_text("utf-8").replace("k = 0.79", "k = 0.8"), encoding="utf-8")
    assert "in order" in good("rules", "check", str(file), data=data)
    said = good("rules", "diff", str(file), data=data)
    assert "92 rise, 0 fall" in said
    assert "II orange" in said
    assert "00000000" in refused("rules", "diff", str(file), "--against", "00000000", data=data)
    diff = json.loads(good("rules", "diff", str(file), "--against", str(CROZIER), "--json", data=data))
    assert diff["old"] == load_rules(CROZIER).digest
    assert diff["rises"][0]["before"]["sentence_en"] != diff["rises"][0]["after"]["sentence_en"]
    assert "duty" in refused("rules", "activate", str(file), "--as", "duty", "--reason", "x", data=data)
    assert "version of its own" in refused("rules", "activate", str(clash), "--as", "chief", "--reason", "x", data=data)
    said = good("rules", "activate", str(file), "--as", "leader", "--reason", "fitted", data=data)
    assert "switched on by leader" in said
    assert "the present forecast is assessed again with them within 10 minutes" in said
    listed = {(one["name"], one["version"]): one for one in json.loads(good("rules", "list", "--json", data=data))}
    assert listed["effrain-matrix", "2"]["active"]
    assert listed["effrain-matrix", "2"]["activated_by"] == "leader"
    assert not listed["effrain-matrix", "1"]["active"]
    assert listed["effrain-matrix-crozier", "1"]["where"] == ["shipped"]
    uses = {name: one["use"] for (name, _), one in listed.items() if one["use"]}
    assert uses == {
        "effrain-matrix": "decides", "rolling-multi": "beside", "id-threshold": "beside", "jma-swi": "ready",
        "lhasa11": "ready", "logistic": "ready",
    }  # fmt: skip
    shown = good("rules", "list", data=data)
    assert "not used: its model is not enabled" in shown
    assert "in force: it decides; switched on by leader at" in shown
    swi = str(SHIPPED.with_name("jma-swi.toml"))
    said = good("rules", "activate", swi, "--as", "leader", "--reason", "try", data=data)
    assert "Model jma-swi is not enabled" in said
    with system.store.read() as work:
        forecast = work.assessments.latest()[-1].forecast_id
    again = ("assess", forecast, "--areas", "370687", "--allow-stale", "test", "--json")
    assert json.loads(good(*again, data=data))["rules"] == "effrain-matrix 2"
    assert "holds" in good("ledger", "verify", data=data)
    shown = good("replay", "a000001", "--rules", str(SHIPPED), data=data)
    assert "0 rise and 0 fall" in shown
    both = json.loads(good("replay", "a000001", "--rules", str(file), "--json", data=data))
    differs = [one["differs"] for one in both["changes"]]
    assert differs == sorted(differs, reverse=True)
    assert sum(differs) == 46
    assert good("replay", "a000001", data=data).count("bit for bit") == 3  # its two alternates too


# --- what other rules may look at ----------------------------------------------------------------------------------

T0 = datetime(2026, 7, 23, 12, tzinfo=UTC)
SQUARE = Area("sq", AreaKind.COUNTY, "方区", "Square", lon=121.0, lat=37.0, susceptibility=Susceptibility.HIGH)


class TwoFiles:
    """A reader of runs that come in one file for each part of the time."""

    name = "two-files"

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        parts = [RainCsvReader().read([one])[0] for one in files]
        return (replace(parts[0], fields=tuple(field for part in parts for field in part.fields)),)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    found.readers["two-files"] = TwoFiles()
    with found.store.begin() as work:
        work.areas.save_all([SQUARE])
        work.commit()
    yield found
    found.store.dispose()


def ten_days(bench: Bench) -> None:
    rows = [("sq", T0 - (n + 1) * DAY, T0 - n * DAY, "10", "observed") for n in range(10)]
    bench.rain("antecedent.csv", rows)


def again(bench: Bench, run: str, rules: RuleSet | None = None) -> tuple[float, bool, int]:
    found = replay(bench.store, bench.readers, bench.models, bench.folder / "raw", None, run, rules=rules)
    (one,) = found.recomputed.assessments
    return float(one.evidence["re_mm"]), found.equal, len(found.recomputed.inputs)


def test_both_published_presets_for_ten_days_at_ten_millimetres(bench: Bench) -> None:
    """hazard-methods section 1: 0.79 over 3 days adds 19.1 mm, 0.84 over 10 days 43.3 mm."""
    ten_days(bench)
    forecast = bench.rain("forecast.csv", [("sq", T0, T0 + DAY, "30", "forecast")])
    run = bench.assess(forecast, 24, at=T0)
    re_mm, equal, inputs = again(bench, run.id)
    assert re_mm == pytest.approx(30 + 19.1, abs=0.05)
    assert (equal, inputs) == (True, 2)
    re_mm, equal, _ = again(bench, run.id, load_rules(CROZIER))
    assert re_mm == pytest.approx(30 + 43.3, abs=0.05)
    assert not equal


def test_other_rules_see_older_rain_but_none_that_came_later(bench: Bench) -> None:
    old = [("sq", T0 - (n + 1) * DAY, T0 - n * DAY, "10", "observed") for n in range(4, 10)]
    bench.rain("old.csv", old)
    forecast = bench.rain("forecast.csv", [("sq", T0, T0 + DAY, "30", "forecast")])
    run = bench.assess(forecast, 24, at=T0)
    assert len(run.inputs) == 1
    bench.moment += timedelta(hours=1)
    bench.rain("late.csv", [("sq", T0 - DAY, T0, "400", "observed")])
    re_mm, _, inputs = again(bench, run.id, load_rules(CROZIER))
    assert inputs == 2
    assert re_mm == pytest.approx(30 + sum(10 * 0.84**day for day in range(5, 11)))
    assert again(bench, run.id)[1:] == (True, 1)


def test_a_run_in_several_files_and_its_alternates_come_out_bit_for_bit(bench: Bench, tmp_path: Path) -> None:
    paths = []
    for number, (start, mm) in enumerate(((T0, "41.37"), (T0 + DAY / 2, "19.9"))):
        path = tmp_path / f"part-{number}.csv"
        end = start + DAY / 2
        path.write_text(f"area,start,end,mm,kind\nsq,{start.isoformat()},{end.isoformat()},{mm},forecast\n")
        paths.append(path)
    (forecast,) = ingest(
        bench.store, bench, bench.readers, bench.folder / "raw", "two-files", paths,
        source=None, synthetic_installation=False, actor_text="t",
    )  # fmt: skip
    assert len(forecast.raw_files) == 2
    deciding = bench.assess(forecast.id, 24, at=T0)
    beside = replace(deciding, id="beside", beside=deciding.id)
    with bench.store.begin() as work:
        work.assessments.add(beside)
        work.commit()
    found = replay_with_alternates(ground(bench), deciding.id)
    assert [(one.stored.id, one.equal) for one in found] == [(deciding.id, True), ("beside", True)]
    under = replay_under(ground(bench), deciding.id, LOWER)
    (row,) = changes(under.stored, under.recomputed)
    assert (row.before.level, row.after and row.after.level, row.levels) == (Level.BLUE, Level.YELLOW, 1)


def ground(bench: Bench) -> Ground:
    return Ground(bench.store, bench.readers, bench.models, bench.folder / "raw", None)
