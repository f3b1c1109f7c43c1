"""Hands kept CAP messages to capvalidator, capparser and, where it is there, xmlsec1: `python cap_others.py DIR`.

Runs in an environment of its own (`tests/fuzz/cap_requirements.txt`), so that these tools are nobody's dependency.
capparser 2.0.4 stumbles over any XML signature and is given the messages without.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

BATCH = 200  # files in one call of xmlsec1


def main(folder: Path) -> int:
    """Every kept message, by every tool; returns 1 where one of them complains."""
    import capparser  # type: ignore[import-not-found]
    import capvalidator  # type: ignore[import-not-found]

    plain = sorted(file for file in folder.glob("*.xml") if ".signed" not in file.name)
    signed = sorted(folder.glob("*.signed.xml"))
    faults = []
    for file in signed:
        result = capvalidator.validate_cap_message(file.read_bytes(), strict=True)
        if not result.passed:
            faults.append(f"capvalidator {file.name}: {result.message}")
    for file in plain:
        if (wrong := _parsed(capparser, file)) is not None:
            faults.append(f"capparser {file.name}: {wrong}")
    verified = _verified(signed, folder / "certificate.pem")
    for line in faults[:20]:
        print(line)
    print(
        f"capvalidator: {len(signed)} messages, xmlsec1: {verified}, capparser: {len(plain)}; {len(faults)} complaints"
    )
    return 1 if faults or not signed else 0


def _parsed(capparser: Any, file: Path) -> str | None:
    """What capparser makes of it: both languages, every area, the level."""
    try:
        alert = capparser.parse(stringXML=file.read_text("utf-8"))
        infos = alert.getInfo() if hasattr(alert, "getInfo") else alert.info[0]
        first = infos[0] if isinstance(infos, list) else infos
        if len(infos) != 2 or not first.area[0]:
            return "it does not find both languages and the areas"
    except Exception as error:
        return repr(error)
    return None


def _verified(files: list[Path], certificate: Path) -> str:
    """How many signatures xmlsec1 has verified; ends with its words where one is wrong."""
    program = shutil.which("xmlsec1")
    if program is None:
        return "not installed"
    for start in range(0, len(files), BATCH):
        command = [program, "--verify", "--pubkey-cert-pem", str(certificate), *map(str, files[start : start + BATCH])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if done.returncode:
            raise SystemExit(f"xmlsec1: {done.stderr[-2000:]}")
    return str(len(files))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
