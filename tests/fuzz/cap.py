"""Draws courses of warnings by the thousand: `python -m tests.fuzz.cap --cases N --seed S --keep DIR`.

Every message must keep every rule of `tests.unit.cap_rulebook`. With `--keep` a share of them is written to DIR, signed
and unsigned, for the tools of others (`tests/fuzz/cap_others.py`), which have an environment of their own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, Phase, given, seed, settings
from rich.console import Console
from rich.progress import Progress
from tests.unit.cap_draws import Plan, all_messages, course_of, plans
from tests.unit.issuer_bench import signer
from tests.unit.test_cap_properties import broken

MOST_KEPT = 4000


def main() -> int:
    """Draw, check, keep; returns 1 where a rule was broken."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cases", type=int, default=500)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--keep", type=Path)
    given_ = asked.parse_args()
    found: list[str] = []
    kept = 0
    ours = signer("ours", 36_500)
    if given_.keep:
        given_.keep.mkdir(parents=True, exist_ok=True)
        (given_.keep / "certificate.pem").write_bytes(ours.certificate.public_bytes(Encoding.PEM))
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("courses", total=given_.cases)

        @seed(given_.seed)
        @settings(
            max_examples=given_.cases,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(plan=plans())
        def draw(plan: Plan) -> None:
            nonlocal kept
            progress.advance(task)
            if faults := broken(plan):
                found.append(f"{faults[0][:400]} … {len(plan.areas)} areas: {plan!r}"[:4000])
            for body in all_messages(course_of(plan))[:3] if given_.keep and kept < MOST_KEPT else ():
                (given_.keep / f"{kept}.xml").write_bytes(body)
                (given_.keep / f"{kept}.signed.xml").write_bytes(ours.sign(body))
                kept += 1

        draw()
    for line in found[:20]:
        console.print(line, markup=False)
    print(f"{given_.cases} courses (seed {given_.seed}), {kept} messages kept, {len(found)} courses break a rule")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
