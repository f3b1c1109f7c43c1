"""A demo installation with keys of each kind, called as partners call it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from starlette.testclient import TestClient
from tests.integration.conftest import fresh_code

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.domain.partner import Scope, call_digest
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.partner_keys import Issued, issue_key
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign

HAIYANG, FUSHAN = "370687", "370612"
STATION = "demo-tv"


@dataclass
class ApiDesk:
    """The interface of one installation, its people and its keys."""

    system: System
    client: TestClient
    keys: dict[str, Issued] = field(default_factory=dict)

    def key(self, owner: str, *scopes: Scope, account: bool = True, **more: Any) -> Issued:
        """A key, made once for the same owner and scopes."""
        name = f"{owner} {account} {sorted(scopes)} {more}"
        if name not in self.keys:
            system = self.system
            self.keys[name] = issue_key(
                system.store, system.clock, system.vault, "test", owner, account, [s.value for s in scopes], **more
            )
        return self.keys[name]

    def with_scope(self, scope: Scope) -> Issued:
        """A key that has this scope and no other."""
        if scope is Scope.RECEIPTS:
            return self.key(self.station, scope, account=False)
        return self.key("observatory", scope)

    @property
    def station(self) -> str:
        return next(iter(self.system.stations))

    def call(self, key: Issued | None, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call; a POST gets an idempotency key of its own unless one is given."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Authorization"] = f"Bearer {key.token}"
        content = b""
        if method == "POST":
            sent.setdefault("Idempotency-Key", secrets.token_hex(16))
            content = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
            sent.setdefault("Content-Type", "application/json")
        return self.client.request(method, path, content=content or None, headers=sent)

    def signed(self, key: Issued, path: str, body: Any, **more: Any) -> Any:
        """One signed POST; `at`, `nonce` and `secret` may be given, other names are headers."""
        content = json.dumps(body).encode()
        at = more.pop("at", None) or int(self.system.clock.now().timestamp())
        nonce = more.pop("nonce", None) or secrets.token_hex(12)
        secret = more.pop("secret", None) or str(key.signing)
        digest = call_digest(secret, "POST", path, at, nonce, content)
        return self.call(key, "POST", path, content, X_Geowarn_Signature=f"t={at},n={nonce},v1={digest}", **more)

    def actor(self, name: str) -> Actor:
        with self.system.store.read() as work:
            return Actor(find_user(work, name), "command line", "test")

    def proposed(self, **levels: Level) -> str:
        """The id of a warning under review; areas as `a370687=Level.YELLOW`."""
        wanted = {code[1:]: level for code, level in levels.items()} or {HAIYANG: Level.YELLOW, FUSHAN: Level.BLUE}
        return propose_by_hand(self.system.desk, wanted, 24, "裂缝", "网格员", self.actor("leader")).warning_id

    def released(self, **levels: Level) -> str:
        """The slug of a bulletin that every role has signed."""
        warning = self.proposed(**levels)
        with self.system.store.read() as work:
            content = work.proposals.of_warning(warning)[0].content
        for role in self.system.policy.required(content):
            name = {"duty-officer": "duty"}.get(role.value, role.value)
            sign(self.system.desk, warning, self.actor(name), code=fresh_code(self.system, name))
        return release(self.system.desk, warning, self.actor("duty")).slug
