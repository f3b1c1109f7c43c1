"""A run in several NetCDF files becomes one forecast, and is read again to the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from tests.data.make_netcdf import write

from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast, RainKind
from geowarn.pipeline.ingest import ingest, reading_of
from geowarn.ports import Reader
from geowarn.sources.netcdf import NetcdfReader
from geowarn.store.unit_of_work import SqlStore

RUN = datetime(2026, 7, 22, 12, tzinfo=UTC)
READERS: dict[str, Reader] = {"netcdf": NetcdfReader()}
IMERG = Path(__file__).parents[1] / "data" / "forecasts" / "imerg-v06-30min-subset-2020010112.nc4"


class StillClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return RUN + timedelta(hours=4)


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = SqlStore.in_memory()
    yield store
    store.dispose()


def take(store: SqlStore, raw: Path, *files: Path) -> Forecast:
    (made,) = ingest(
        store, StillClock(), READERS, raw, "netcdf", files, source=None, synthetic_installation=False, actor_text="test"
    )
    return made


def test_files_that_count_from_one_start_become_one_forecast_and_stay_the_same(store: SqlStore, tmp_path: Path) -> None:
    steps = [np.full((1, 2, 3), total) for total in (1.0, 2.5, 4.5)]
    files = [write(tmp_path / f"{hour}.nc", steps[hour - 1], bounds=[(0, hour)]) for hour in (1, 2, 3)]
    forecast = take(store, tmp_path / "raw", *files)
    assert (forecast.run_time, forecast.fields, forecast.coverage.hours) == (RUN, 3, 3.0)
    one, two = (reading_of(forecast, READERS, tmp_path / "raw") for _ in range(2))
    assert [field.values[0] for field in one.fields] == [1.0, 1.5, 2.0]
    for first, second in zip(one.fields, two.fields, strict=True):
        assert np.asarray(first.values).tobytes() == np.asarray(second.values).tobytes()


def test_satellite_rain_is_taken_in_as_observed(store: SqlStore, tmp_path: Path) -> None:
    forecast = take(store, tmp_path / "raw", IMERG)
    assert forecast.kinds == frozenset({RainKind.OBSERVED})
    assert forecast.coverage.hours == 0.5


def test_a_refused_run_leaves_nothing(store: SqlStore, tmp_path: Path) -> None:
    good = write(tmp_path / "good.nc", np.ones((1, 2, 3)), bounds=[(0, 1)])
    bad = write(tmp_path / "bad.nc", np.ones((1, 2, 3)), bounds=[(0, 2)], attributes={"units": "inch"})
    with pytest.raises(Refused, match=r"netcdf\.unit"):
        take(store, tmp_path / "raw", good, bad)
    with store.read() as work:
        assert not work.forecasts.latest()
    assert list((tmp_path / "raw").iterdir()) == []
