"""Rule sets from files in `config/rules/`: a name, a version, and a digest over the bytes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.rules import RuleSet
from geowarn.domain.unread import larger_than, why
from geowarn.ports import HazardModel, Store

_LARGEST = 1_000_000  # bytes


def load_rules(path: Path, models: Mapping[str, HazardModel] | None = None) -> RuleSet:
    """Read one rule set; with `models` its parameters are checked too. Raises Refused naming file and parameter."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused("rules.unreadable", file=path.name, reason=why(error)) from None
    if len(data) > _LARGEST:
        raise Refused("rules.unreadable", file=path.name, reason=larger_than(_LARGEST, "B"))
    rules = parse_rules(data, path.name)
    if models is not None:
        check_rules(rules, models, path.name)
    return rules


def rules_in_force(store: Store, model: str, file: Path) -> RuleSet:
    """The rule set a person switched on for this model, read from its kept text; the file's where nobody did."""
    with store.read() as work:
        activation = work.rules.active(model)
        kept = work.rules.get(activation.digest) if activation else None
    return load_rules(file) if kept is None else parse_rules(kept.text.encode(), f"{kept.name} {kept.version}")


def parse_rules(data: bytes, file_name: str) -> RuleSet:
    """The rule set in the bytes of a TOML file; raises Refused."""
    try:
        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except ValueError as error:  # UnicodeDecodeError and TOMLDecodeError, which names line and column
        raise Refused("rules.unreadable", file=file_name, reason=why(error)) from None
    return RuleSet(
        name=_text(table, "name", file_name),
        version=_text(table, "version", file_name),
        model=_text(table, "model", file_name),
        calibrated=_typed(table, "calibrated", bool, "true / false", file_name),
        parameters=_typed(table, "parameters", dict, "[parameters]", file_name),
        sources=tuple(str(one) for one in _typed(table, "sources", list, '["…"]', file_name)),
        text=text,
        digest=sha256_hex(data),
    )


def check_rules(rules: RuleSet, models: Mapping[str, HazardModel], file_name: str = "") -> None:
    """Let the rule set's model check the parameters; raises Refused."""
    file = file_name or f"{rules.name} {rules.version}"
    if rules.model not in models:
        raise Refused("rules.model", file=file, model=rules.model, known=", ".join(sorted(models)))
    try:
        models[rules.model].check(rules)
    except Refused as refusal:
        raise Refused(refusal.key, **{**refusal.facts, "file": file}) from None


def _text(table: Mapping[str, Any], key: str, file_name: str) -> str:
    value: str = _typed(table, key, str, '"…"', file_name)
    if not value.strip():
        raise Refused("rules.parameter", file=file_name, parameter=key, value=repr(value), wanted='"…"')
    return value.strip()


def _typed(table: Mapping[str, Any], key: str, kind: type, wanted: str, file_name: str) -> Any:
    value = table.get(key)
    if value is None:
        raise Refused("rules.parameter-missing", file=file_name, parameter=key, wanted=wanted)
    if not isinstance(value, kind):
        raise Refused("rules.parameter", file=file_name, parameter=key, value=repr(value), wanted=wanted)
    return value
