"""What a run lacks, how long a fetch waits, and how the shipped and a wrong source plan are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import nan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.bootstrap import config_file
from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import AreaUnits, RainField, RainKind, Reading
from geowarn.domain.source import Source, lacking, merged, pause
from geowarn.pipeline.source_plan import last_due, load_plan, next_due, overdue_since
from geowarn.ports import Fetcher, Reader
from geowarn.sources.fetch_ecmwf import EcmwfFetcher
from geowarn.sources.fetch_gfs import GfsFetcher
from geowarn.sources.fetch_url import OpenMeteoFetcher, UrlFetcher
from geowarn.sources.grib import GribReader
from geowarn.sources.openmeteo import OpenMeteoReader
from geowarn.sources.rain_csv import RainCsvReader

RUN = datetime(2026, 7, 23, tzinfo=UTC)
READERS: dict[str, Reader] = {"grib": GribReader(), "csv": RainCsvReader(), "openmeteo": OpenMeteoReader()}
FETCHERS: dict[str, Fetcher] = {
    one.name: one for one in (EcmwfFetcher(), GfsFetcher(), OpenMeteoFetcher(), UrlFetcher())
}


def hours(*spans: tuple[int, int], member: int | None = None, mm: float = 1.0) -> list[RainField]:
    return [
        RainField(
            Period(RUN + timedelta(hours=a), RUN + timedelta(hours=b)), AreaUnits(("1",)), (mm,),
            RainKind.FORECAST, "x", RUN, member,
        )
        for a, b in spans
    ]  # fmt: skip


def reading(*fields: RainField) -> Reading:
    return Reading(fields, "x", RUN)


def gaps(found: tuple[Period, ...]) -> list[tuple[float, float]]:
    return [((g.start - RUN) / timedelta(hours=1), (g.end - RUN) / timedelta(hours=1)) for g in found]


def test_what_a_run_lacks() -> None:
    half = reading(*hours((0, 3), (3, 6), (9, 12)))
    assert gaps(lacking(half, 12)) == [(6, 9)]
    assert gaps(lacking(half, 24)) == [(6, 9), (12, 24)]
    assert lacking(half, 6) == ()
    assert lacking(half, 0) == ()


def test_every_member_must_be_whole_and_gaps_say_nothing() -> None:
    members = reading(*hours((0, 6), (6, 12), member=0), *hours((0, 6), member=1))
    assert gaps(lacking(members, 12)) == [(6, 12)]
    assert gaps(lacking(reading(*hours((0, 6)), *hours((6, 12), mm=nan)), 12)) == [(6, 12)]


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=12), st.integers(1, 48))
def test_nothing_is_lacking_exactly_when_every_hour_is_there(spans: list[tuple[int, int]], wanted: int) -> None:
    fields = hours(*[(start, start + length) for start, length in spans])
    if not fields:
        return
    there = {hour for start, length in spans for hour in range(start, start + length)}
    found = lacking(reading(*fields), wanted)
    assert (not found) == all(hour in there for hour in range(wanted))
    assert list(found) == sorted(merged(found))
    assert not uncovered(Period(RUN, RUN + timedelta(hours=wanted)), [*found, *(f.period for f in fields)])


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True), st.floats(0, 900), st.floats(0, 3600))
def test_a_wait_is_never_shorter_than_asked_and_ends_in_time(
    attempt: int, chance: float, asked: float, left: float
) -> None:
    wait = pause(attempt, chance, asked, left)
    if wait is None:
        assert max(60.0, asked) >= left
    else:
        assert max(asked, 0.5) <= wait < left
        assert wait <= max(60.0, asked)


@pytest.fixture
def plan(tmp_path: Path) -> Callable[[str], tuple[Source, ...]]:
    def read(text: str) -> tuple[Source, ...]:
        path = tmp_path / "sources.toml"
        path.write_text(text, "utf-8")
        return load_plan(path, READERS, FETCHERS, "Asia/Shanghai")

    return read


def test_the_shipped_plan_watches_a_folder_and_calls_nobody() -> None:
    shipped = load_plan(config_file(None, "sources.toml"), READERS, FETCHERS, "Asia/Shanghai")
    assert [one.name for one in shipped if one.enabled] == ["observatory"]
    assert {one.way for one in shipped} == {"folder", "ecmwf-open-data", "gfs", "openmeteo", "url"}
    assert [one.order for one in shipped] == [1, 2, 3, 4, 0]


def test_what_is_shipped_switched_off_can_be_switched_on(plan: Callable[[str], tuple[Source, ...]]) -> None:
    text = config_file(None, "sources.toml").read_text("utf-8").replace("enabled = false", "enabled = true")
    assert all(one.enabled for one in plan(text))


GOOD = 'reader = "csv"\nway = "folder"\nenabled = true\norder = 1\n'
FETCHED = 'reader = "csv"\nway = "url"\nenabled = true\norder = 1\ncron = "0 * * * *"\n'


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("[a]\n" + GOOD.replace('"csv"', '"cvs"'), "reader", "'cvs'"),
        ("[a]\n" + GOOD.replace('"folder"', '"floder"'), "way", "'floder'"),
        ("[a]\n" + GOOD.replace("order = 1", "order = -1"), "order", "0 … 99"),
        ("[a]\n" + GOOD.replace("order = 1", "order = true"), "order", "True"),
        ("[a]\n" + GOOD.replace("order = 1\n", ""), "order", "-"),
        ("[a]\n" + GOOD + 'cron = "61 * * * *"', "cron", "61"),
        ("[a]\n" + GOOD + 'cron = "0 8 * * 1"', "cron", "mon"),
        ("[a]\n" + GOOD + 'cron = "0 8 * *"', "cron", "weekday"),
        ("[a]\n" + GOOD + 'zone = "Asia/Shangai"', "zone", "Asia/Shanghai"),
        ("[a]\n" + GOOD + 'pattern = "\\\\d+"', "pattern", "(?P<run>"),
        ("[a]\n" + GOOD + "pattern = '(?P<run>'", "pattern", "(?P<run>"),
        ("[a]\n" + GOOD + "needs_hours = 1.5", "needs_hours", "0 … 384"),
        ("[a]\n" + GOOD + "nedds_hours = 1", "nedds_hours", "needs_hours"),
        ("[a]\n" + FETCHED.replace('"0 * * * *"', '""') + '[a.parameters]\nurl = "http://h/x"', "cron", "weekday"),
        ("[a]\n" + FETCHED, "url", "http(s)://host/path"),
        ("[a]\n" + FETCHED + '[a.parameters]\nurl = "ftp://h/x"', "url", "ftp"),
        ("[a]\n" + FETCHED + '[a.parameters]\nurl = "http://me:secret@h/x"', "url", "http(s)://host/path"),
        ("[a]\n" + FETCHED + '[a.parameters]\nurl = "http://h/x"\nread_seconds = 0', "read_seconds", "0.1 … 120"),
    ],
)
def test_a_wrong_value_is_named_with_what_fits(
    plan: Callable[[str], tuple[Source, ...]], text: str, key: str, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        plan(text)
    assert refused.value.facts["key"] == key
    for language in ("zh", "en"):
        said = explain(refused.value, language)
        for part in ("sources.toml", key, words):
            assert part in said


def test_names_and_orders_are_each_sources_own(plan: Callable[[str], tuple[Source, ...]]) -> None:
    for name in ("taken", "A", "a.b"):
        with pytest.raises(Refused):
            plan(f'["{name}"]\n' + GOOD)
    with pytest.raises(Refused) as refused:
        plan("[a]\n" + GOOD + "[b]\n" + GOOD)
    assert refused.value.key == "plan.same-order"
    assert len(plan("[a]\n" + GOOD + "[b]\n" + GOOD.replace("true", "false"))) == 2


def test_slots_are_in_the_sources_zone(plan: Callable[[str], tuple[Source, ...]]) -> None:
    (source,) = plan("[a]\n" + GOOD + 'cron = "30 8,20 * * *"\nexpected_minutes = 60\n')
    noon = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
    assert last_due(source, noon) == datetime(2026, 7, 23, 0, 30, tzinfo=UTC)
    assert next_due(source, noon) == datetime(2026, 7, 23, 12, 30, tzinfo=UTC)
    slot = datetime(2026, 7, 23, 0, 30, tzinfo=UTC)
    assert last_due(source, slot) == slot
    assert overdue_since(source, slot + timedelta(minutes=59)) == datetime(2026, 7, 22, 12, 30, tzinfo=UTC)
    assert overdue_since(source, slot + timedelta(minutes=60)) == slot
    (monthly,) = plan("[a]\n" + GOOD + 'cron = "0 0 1 * *"\n')
    assert last_due(monthly, noon) == datetime(2026, 6, 30, 16, tzinfo=UTC)
    (calm,) = plan("[a]\n" + GOOD)
    assert (last_due(calm, noon), next_due(calm, noon), overdue_since(calm, noon)) == (None, None, None)
