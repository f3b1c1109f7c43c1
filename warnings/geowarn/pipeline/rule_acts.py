"""Switching a rule set on: a person's act with a reason, in the ledger beside what it changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.rule_diff import SeasonDiff, write_whole
from geowarn.pipeline.rules import check_rules, load_rules, parse_rules
from geowarn.ports import Activation, Clock, HazardModel, Store

MAY_SWITCH = (Role.ADMINISTRATOR, Role.LEADER, Role.CHIEF)
_SHORTEST = 8  # digits of a digest that name a stored rule set


def switch_on(
    store: Store,
    clock: Clock,
    models: Mapping[str, HazardModel],
    rules: RuleSet,
    replaced: RuleSet,
    actor: Actor,
    reason: str,
    compared: Mapping[str, Any] | None,
) -> Activation:
    """Have `rules` hold for their model from now on; `replaced` is what holds until now.

    `compared` is the summary of the last comparison of the two, None where there was none; the ledger says so.
    Raises Refused without the role or a reason, for a parameter that does not fit, for what holds already, and for
    a name and version that another text has.
    """
    actor.need(*MAY_SWITCH)
    if not reason.strip():
        raise Refused("rules.reason-missing")
    check_rules(rules, models)
    now = clock.now()
    with store.begin() as work:
        holding = work.rules.active(rules.model)
        if holding is not None and holding.digest == rules.digest:
            raise Refused("rules.holds-already", rules=_name(rules), by=holding.by)
        for one in (replaced, *work.rules.all()):
            if (one.name, one.version) == (rules.name, rules.version) and one.digest != rules.digest:
                raise Refused("rules.version-taken", rules=_name(rules), digest=one.digest[:16])
        work.rules.save(replaced)
        work.rules.save(rules)
        number = work.counters.next("activation")
        activation = Activation(f"ra{number:06d}", rules.model, rules.digest, now, actor.user.name, reason.strip())
        work.rules.activate(activation)
        facts = {"model": rules.model, "reason": activation.reason, "compared": compared}
        names = {"old": _facts(replaced), "new": _facts(rules)}
        work.ledger.append(now, actor.label, "rules.activated", activation.id, {**facts, **names})
        work.commit()
    return activation


def stored_or_file(store: Store, name: str) -> RuleSet:
    """The stored rule set whose digest begins with `name`, else the file of that name; raises Refused."""
    path = Path(name)
    if len(name) >= _SHORTEST and set(name) <= set("0123456789abcdef") and not path.exists():
        with store.read() as work:
            found = [one for one in work.rules.all() if one.digest.startswith(name)]
        if len(found) == 1:
            return parse_rules(found[0].text.encode(), _name(found[0]))
        raise NotFound("rules.unknown-digest", digest=name, count=len(found))
    return load_rules(path)


def remember(cache_dir: Path, diff: SeasonDiff) -> None:
    """Keep the summary of a comparison for the act that may follow it."""
    write_whole(_last(cache_dir, diff.old, diff.new), json.dumps(diff.summary()).encode())


def last_comparison(cache_dir: Path, old: RuleSet, new: RuleSet) -> dict[str, Any] | None:
    """The summary of the last comparison of these two, or None."""
    try:
        found: dict[str, Any] = json.loads(_last(cache_dir, old, new).read_bytes())
    except (OSError, ValueError):
        return None
    return found


def _last(cache_dir: Path, old: RuleSet, new: RuleSet) -> Path:
    return cache_dir / "rules" / new.digest / f"against-{old.digest}.json"


def _name(rules: RuleSet) -> str:
    return f"{rules.name} {rules.version}"


def _facts(rules: RuleSet) -> dict[str, Any]:
    return {
        "name": rules.name,
        "version": rules.version,
        "digest": rules.digest,
        "calibrated": rules.calibrated,
    }
