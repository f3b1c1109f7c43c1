"""Reader options from the source plan and the command line: used, kept with the forecast, used again by replay."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.test_micaps import grid_text

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.domain.settings_table import SettingsTable
from geowarn.pipeline.ingest import ingest, reading_of
from geowarn.pipeline.reader_options import of_command_line
from geowarn.pipeline.source_plan import load_plan
from geowarn.ports import Reader
from geowarn.sources.micaps import MicapsReader
from geowarn.sources.rain_csv import RainCsvReader
from geowarn.store.unit_of_work import SqlStore

READERS: dict[str, Reader] = {"micaps": MicapsReader(), "csv": RainCsvReader()}
PLAN = """
[office]
reader = "{reader}"
way = "folder"
enabled = true
order = 1
[office.options]
{options}
"""


class Still:
    """Always the same moment."""

    def now(self) -> datetime:
        return datetime(2026, 7, 23, 4, 0, tzinfo=UTC)


def taken(store: SqlStore, folder: Path, *options: str) -> Forecast:
    """A grid whose name and title leave its header's zone open."""
    file = folder / "rain.txt"
    file.write_bytes(grid_text().encode("gbk"))
    (made,) = ingest(
        store, Still(), READERS, folder / "raw", "micaps", [file], source=None, synthetic_installation=False,
        actor_text="tester", options=of_command_line(options, "micaps"),
    )  # fmt: skip
    return made


def test_options_settle_what_the_file_leaves_open_and_are_kept(tmp_path: Path) -> None:
    store = SqlStore.in_memory()
    with pytest.raises(Refused, match=r"micaps\.zone"):
        taken(store, tmp_path)
    made = taken(store, tmp_path, "zone=beijing")
    assert made.run_time == datetime(2026, 7, 23, 0, tzinfo=UTC)
    with store.read() as work:
        kept = work.forecasts.get(made.id)
        (entry,) = [one for one in work.ledger.entries(subject=made.id) if one.kind == "forecast.ingested"]
    assert kept == made
    assert made.options == (("zone", "beijing"),)
    assert json.loads(entry.payload)["options"] == {"zone": "beijing"}
    assert reading_of(kept, READERS, tmp_path / "raw").run_time == made.run_time


def test_the_same_file_read_otherwise_is_another_forecast(tmp_path: Path) -> None:
    """A person who gave the wrong zone gives the right one, and the wrong reading does not stand in its way."""
    store = SqlStore.in_memory()
    one, two = taken(store, tmp_path, "zone=utc"), taken(store, tmp_path, "zone=beijing")
    assert one.id != two.id
    assert one.raw_files == two.raw_files
    assert taken(store, tmp_path, "zone=utc") == one
    with store.read() as work:
        assert {row.id for row in work.forecasts.latest()} == {one.id, two.id}


def plan_error(folder: Path, reader: str, options: str) -> str:
    path = folder / "sources.toml"
    path.write_text(PLAN.format(reader=reader, options=options), "utf-8")
    with pytest.raises(Refused) as caught:
        load_plan(path, READERS, {}, "Asia/Shanghai")
    assert explain(caught.value, "zh")
    return explain(caught.value, "en")


def test_the_source_plan_checks_the_options(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_text(PLAN.format(reader="micaps", options='zone = "beijing"\nhours = 24\nrows_may_lack = 0.02'), "utf-8")
    (source,) = load_plan(path, READERS, {}, "Asia/Shanghai")
    assert source.options.values == {"zone": "beijing", "hours": 24, "rows_may_lack": 0.02}
    assert "'zone' is 'bejing', which cannot be used. It takes: utc, beijing" in plan_error(
        tmp_path, "micaps", 'zone = "bejing"'
    )
    assert "'hours' is 5" in plan_error(tmp_path, "micaps", "hours = 5")
    assert "'zones'" in plan_error(tmp_path, "micaps", "zones = 1")
    assert "'zone' is ['utc']" in plan_error(tmp_path, "micaps", 'zone = ["utc"]')
    assert "the reader csv takes no options" in plan_error(tmp_path, "csv", 'zone = "utc"')


def test_the_command_line_reads_values_as_a_toml_file_does() -> None:
    found = of_command_line(["zone=beijing", "hours=24", "rows_may_lack = 0.5", 'name="a b"', "on=true"], "micaps")
    assert found == SettingsTable(
        "--option", "micaps", {"zone": "beijing", "hours": 24, "rows_may_lack": 0.5, "name": "a b", "on": True}
    )
    for wrong in ("zone", "=utc", "zone=utc,zone=utc"):
        with pytest.raises(Refused, match=r"reader\.option"):
            of_command_line(wrong.split(","), "micaps")


def test_rows_may_lack_as_far_as_the_office_says() -> None:
    reader = MicapsReader().configured(SettingsTable("f", "t", {"rows_may_lack": 0.25}))
    assert (reader.settings.rows_may_lack, reader.settings.zone, reader.settings.hours) == (0.25, None, None)
