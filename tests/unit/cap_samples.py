"""CAP alerts of an invented weather service, built from parts."""

from __future__ import annotations

from typing import Any

SENDER = "weather@example.invalid"
SQUARE = "36.5,121.0 36.5,121.5 37.0,121.5 37.0,121.0 36.5,121.0"


def area(description: str = "海阳市", geocode: str = "", polygon: str = "", circle: str = "") -> str:
    code = f"<geocode><valueName>区划</valueName><value>{geocode}</value></geocode>" if geocode else ""
    shapes = (f"<polygon>{polygon}</polygon>" if polygon else "") + (f"<circle>{circle}</circle>" if circle else "")
    return f"<area><areaDesc>{description}</areaDesc>{shapes}{code}</area>"


def info(areas: str, **changes: Any) -> str:
    parts = {
        "language": "zh-CN",
        "category": "Met",
        "event": "暴雨",
        "urgency": "Expected",
        "severity": "Severe",
        "certainty": "Likely",
        "effective": "2026-07-23T02:00:00+08:00",
        "expires": "2026-07-24T02:00:00+08:00",
        "senderName": "某市气象台",
        "headline": "某市气象台发布暴雨橙色预警信号",
        "description": "预计今天夜间有暴雨。",
    } | changes
    texts = "".join(f"<{name}>{text}</{name}>" for name, text in parts.items() if text is not None)
    return f"<info>{texts}{areas}</info>"


def alert(number: str = "1", infos: str | None = None, **changes: Any) -> bytes:
    parts = {
        "identifier": f"rain-{number}",
        "sender": SENDER,
        "sent": f"2026-07-23T02:00:{int(number):02d}+08:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Public",
        "references": None,
    } | changes
    texts = "".join(f"<{name}>{text}</{name}>" for name, text in parts.items() if text is not None)
    body = info(area(geocode="370687")) if infos is None else infos
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">\n'
    return f"{head}{texts}\n{body}\n</alert>\n".encode()


def reference(number: str = "1") -> str:
    return f"{SENDER},rain-{number},2026-07-23T02:00:{int(number):02d}+08:00"
