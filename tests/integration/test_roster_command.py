"""`geowarn roster` on a demo installation: check ends with 1 when something is wrong, files go out and come back."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.command_line import called


def roster(folder: Path, *arguments: str, status: int = 0) -> str:
    done = called("roster", *arguments, "--data", str(folder), environment=os.environ | {"GEOWARN_LANG": "en"})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_check_import_export_and_acts(demo_folder: Path, tmp_path: Path) -> None:
    assert "No gaps, no overlaps" in roster(demo_folder, "check")
    shifts = json.loads(roster(demo_folder, "list", "--json"))
    assert {row["leader"] for row in shifts} == {"leader"}
    file = tmp_path / "roster.ics"
    roster(demo_folder, "export", str(file))
    assert "0 new, 0 changed, 0 cancelled" in roster(demo_folder, "import", str(file))
    lines = file.read_bytes().decode().split("\r\n")
    fourth = lines.index(f"UID:{shifts[3]['id']}@127.0.0.1")
    lines.insert(fourth, "STATUS:CANCELLED")
    file.write_bytes("\r\n".join(lines).encode())
    assert "1 cancelled" in roster(demo_folder, "import", str(file))
    found = json.loads(roster(demo_folder, "check", "--json", status=1))
    assert [(one["fault"], one["start"]) for one in found] == [("gap", shifts[3]["start"])]
    assert "nobody on duty" in roster(demo_folder, "check", status=1)
    broken = tmp_path / "broken.csv"
    broken.write_text("id,start,end,officer,deputy,leader\n,2099-01-01T08:00,soon,duty,,\n", "utf-8")
    assert "broken.csv: line 2" in roster(demo_folder, "import", str(broken), status=1)
    swapped = roster(demo_folder, "swap", shifts[2]["id"], "--to-person", "duty-c", "--reason", "ill", "--as", "admin")
    assert "is done: duty-c takes over" in swapped
    assert "not been asked" in roster(demo_folder, "confirm", shifts[2]["id"], "--as", "duty-c", status=1)
    assert "no shift to hand over" in roster(demo_folder, "hand-over", "--as", "duty", status=1)
    report = json.loads(roster(demo_folder, "report", shifts[0]["id"], "--json"))
    assert report["officer"] == "duty"
    assert "Shift of duty" in roster(demo_folder, "report", shifts[0]["id"])
