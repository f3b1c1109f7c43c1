"""A source: lines `area start hours mm`, blank-separated, start in ISO 8601 with its offset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Payload, RainField, RainKind, Reading
from geowarn.domain.settings_table import SettingsTable


class GaugeLines:
    """`geowarn.ports.Reader` for forecasts by area."""

    name = "gauge-lines"

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def configured(self, options: SettingsTable) -> GaugeLines:
        """With `unit`, "mm" or "cm"; raises Refused."""
        options.refuse_unknown(("unit",))
        return GaugeLines(10.0 if options.text("unit", "mm", "mm|cm", "mm, cm") == "cm" else 1.0)

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """One field a line; raises Refused naming file and line."""
        rows = [(payload.name, at, line) for payload in files for at, line in _lines(payload)]
        fields = [_field(name, at, line, self.factor) for name, at, line in rows]
        run_time = min(field.period.start for field in fields)
        return (Reading(tuple(fields), "gauge lines", run_time),)


def _lines(payload: Payload) -> list[tuple[int, str]]:
    text = payload.path.read_text("utf-8")
    return [(at, line) for at, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _field(name: str, at: int, line: str, factor: float) -> RainField:
    try:
        code, start, hours, mm = line.split()
        begin = datetime.fromisoformat(start)
        period = Period(begin, begin + timedelta(hours=float(hours)))
        return RainField(period, AreaUnits((code,)), [float(mm) * factor], RainKind.FORECAST, "gauge lines", begin)
    except ValueError as error:
        zh = f"{name} 第 {at} 行：不是“区域 起始时间 小时 毫米”（{error}）。请改正该行。"
        en = f"{name}, line {at}: not `area start hours mm` ({error}). Correct the line."
        raise Refused("gauge-lines.bad-line", file=name, line=at, zh=zh, en=en) from None
