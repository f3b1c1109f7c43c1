"""A season that is over: a demo storm of some days ago, warned about by its officers, and one nobody released."""

from __future__ import annotations

import csv
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from geowarn.bootstrap import open_system
from geowarn.cap_key import make_cap_key
from geowarn.demo.play import officer_releases, officers_sign, proposal_rises, storm_comes
from geowarn.demo.setting import put_on_duty
from geowarn.pipeline.watch import end_validity

# At one hour of the day, whenever the tests run: area-days begin at 20:00 in the installation's zone.
STORM = datetime.now(UTC).replace(hour=15, minute=0, second=0, microsecond=0) - timedelta(days=6)
RELEASED = STORM + timedelta(minutes=25)
HAIYANG, LAIZHOU, ZHIFU = "370687", "370683", "370602"  # red, yellow and none in the demo storm


class PastClock:
    """A clock that a season moves by hand."""

    def __init__(self) -> None:
        self.moment = STORM + timedelta(minutes=10)

    def now(self) -> datetime:
        return self.moment


def play_season(template: Path, folder: Path) -> Path:
    """Copy a demo installation and let two storms pass: the first released, the second only proposed."""
    shutil.copytree(template, folder)
    clock = PastClock()
    make_cap_key(folder / "keys", "demo@geowarn.invalid", clock.now())  # the copied one is younger than this season
    system = open_system(folder, clock)
    for released in (True, False):
        put_on_duty(system)
        run = storm_comes(system)
        clock.moment += timedelta(minutes=15)
        proposal = proposal_rises(system, run)
        if released:
            assert proposal is not None
            officers_sign(system, proposal.warning_id)
            officer_releases(system, proposal.warning_id)
        clock.moment += timedelta(hours=47)
        end_validity(system.desk)
    system.store.dispose()
    return folder


def deciding_runs(folder: Path) -> list[str]:
    """The ids of the season's runs of the deciding model, oldest first."""
    system = open_system(folder)
    with system.store.read() as work:
        found = [run.id for run in reversed(work.assessments.latest())]
    system.store.dispose()
    return found


def reports(file: Path, *rows: tuple[str, float, float | None]) -> Path:
    """A file of landslides: area, hours after the first storm began, and up to when."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["area", "time", "time_end", "kind", "size", "source"])
        for code, start, end in rows:
            last = "" if end is None else (STORM + timedelta(hours=end)).isoformat()
            writer.writerow([code, (STORM + timedelta(hours=start)).isoformat(), last, "landslide", "small", "warden"])
    return file
