"""What a sender may spend: a bucket of units (for SMS: parts) that fills at a fixed rate."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

from geowarn.ports import Channel, Delivery


@runtime_checkable
class Paced(Protocol):
    """A channel whose sender allows so many units a second; `units` counts those of one message."""

    units_per_second: float

    def units(self, body: bytes) -> int:
        """How many units this text costs."""
        ...


class Budget:
    """Holds at most one second's worth and may fall below nothing by one claim; unlimited for unpaced channels."""

    def __init__(self, channel: Channel, rate: float | None) -> None:
        self._channel, self._rate = channel, rate
        self._held = rate or 0.0
        self._filled = time.monotonic()
        self._last = 1

    @classmethod
    def of(cls, channel: Channel) -> Budget:
        """The budget this channel asks for."""
        return cls(channel, channel.units_per_second if isinstance(channel, Paced) else None)

    @staticmethod
    def cost(channel: Channel, body: bytes) -> int:
        """Units of one message; 1 where the channel does not count."""
        return channel.units(body) if isinstance(channel, Paced) else 1

    def messages(self) -> int:
        """How many messages of the size met last may be claimed now."""
        if self._rate is None:
            return 1_000_000
        now = time.monotonic()
        self._held = min(max(self._rate, float(self._last)), self._held + self._rate * (now - self._filled))
        self._filled = now
        return int(self._held / self._last) if self._held >= self._last else 0

    def spend(self, delivery: Delivery) -> None:
        """Take the units of one message."""
        if self._rate is not None:
            self._last = self.cost(self._channel, delivery.artefacts[delivery.variant])
            self._held -= self._last
