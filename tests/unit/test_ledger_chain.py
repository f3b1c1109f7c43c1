"""House rule 13: any change to any entry is found at the first bad one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.ledger import LedgerEntry, chain, first_fault

START = datetime(2026, 7, 22, tzinfo=UTC)
payloads = st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8)), min_size=1, max_size=8)


def made(bodies: list[dict[str, object]]) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    for index, body in enumerate(bodies):
        at = START + timedelta(seconds=index)
        entries.append(chain(entries[-1] if entries else None, at, "duty", "kind", f"w-{index}", body))
    return entries


@given(payloads)
def test_a_whole_chain_holds(bodies: list[dict[str, object]]) -> None:
    assert first_fault(made(bodies)) is None


@given(
    payloads, st.integers(0, 7), st.sampled_from(["at", "actor", "kind", "subject", "payload", "previous", "digest"])
)
def test_a_change_is_found_at_the_entry_changed(bodies: list[dict[str, object]], place: int, column: str) -> None:
    entries = made(bodies)
    index = place % len(entries)
    entries[index] = replace(entries[index], **{column: getattr(entries[index], column) + "0"})
    fault = first_fault(entries)
    assert fault is not None
    assert fault.sequence == index + 1


@given(payloads.filter(lambda bodies: len(bodies) > 2), st.integers(0, 7))
def test_a_removed_or_swapped_entry_is_found(bodies: list[dict[str, object]], place: int) -> None:
    entries = made(bodies)
    index = place % (len(entries) - 1)
    removed = entries[:index] + entries[index + 1 :]
    assert first_fault(removed) is not None
    swapped = [*entries[:index], entries[index + 1], entries[index], *entries[index + 2 :]]
    assert first_fault(swapped) is not None
