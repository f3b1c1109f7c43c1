"""The description is exact: a client generated from it alone walks the whole way against the real server."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.integration.api_client_maker import client_class, operations
from tests.integration.api_desk import HAIYANG, ApiDesk
from tests.integration.schema_check import KNOWN, faults, resolved

from geowarn.bootstrap import System
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.partner import Scope, call_digest
from geowarn.pipeline.gathering import Report
from geowarn.pipeline.receipts import record_reports
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign
from geowarn.serving import web_server
from geowarn.web.app import create_app

PREFIX = "/api/v1/"


@pytest.fixture
def document(demo_system: System) -> dict[str, Any]:
    with TestClient(create_app(demo_system)) as client:
        found: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return found


def described_answer(document: Mapping[str, Any], operation: str, status: int, body: Any) -> list[str]:
    """In what a real answer differs from its description."""
    (found,) = [one for _, _, one in operations(document, PREFIX) if one["operationId"] == operation]
    content = found["responses"][str(status)].get("content", {})
    if not content:
        return [] if body in (b"", None) else [f"{operation} {status}: a body that is not described"]
    (shape,) = content.values()
    return [] if isinstance(body, bytes) else faults(document, shape["schema"], body)


class Walker:
    """Calls the generated client and holds every answer against the document."""

    def __init__(self, document: Mapping[str, Any], base: str, key: str | None) -> None:
        self.document = document
        self.client = client_class(document, PREFIX)(base, key)

    def __call__(self, operation: str, *arguments: Any, **named: Any) -> tuple[int, Any]:
        status, body, _ = getattr(self.client, operation)(*arguments, **named)
        assert described_answer(self.document, operation, status, body) == []
        return status, body


def test_the_document_is_openapi_3_1_without_loose_ends(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert set(document["components"]["securitySchemes"]) == {"key", "callSignature"}
    names = [operation["operationId"] for _, _, operation in operations(document, PREFIX)]
    assert len(names) == len(set(names)) > 15
    for schema in document["components"]["schemas"].values():
        assert set(schema) <= KNOWN, schema
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        resolved(document, {"$ref": reference})
    assert '"x-' not in text
    assert "$defs" not in text


def test_every_operation_describes_its_body_its_answer_and_every_error(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document, PREFIX):
        answers = operation["responses"]
        assert operation["summary"], path
        assert operation["description"], path
        good = [code for code in answers if code.startswith("2")]
        assert len(good) == 1, path
        assert good == ["204"] or answers[good[0]]["content"], path
        for code, answer in answers.items():
            assert answer["description"]
            if code >= "400":
                assert answer["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }, path
        if operation.get("security") is not None:
            assert {"401", "429", "500", "503"} <= set(answers), path
            assert "RateLimit" in answers[good[0]]["headers"]
        if method == "POST":
            needed = {one["name"] for one in operation["parameters"] if one["in"] == "header" and one["required"]}
            assert "Idempotency-Key" in needed, path
            assert {"400", "409", "422"} <= set(answers) or path.endswith("receipts"), path


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    examples = [
        (schema, example)
        for schema in document["components"]["schemas"].values()
        for example in schema.get("examples", [])
    ]
    assert examples
    assert [faults(document, schema, example) for schema, example in examples] == [[]] * len(examples)


def test_the_check_notices_what_is_wrong(document: dict[str, Any]) -> None:
    shape = {"$ref": "#/components/schemas/AreaLevel"}
    assert faults(document, shape, {"code": HAIYANG, "level": "red"}) == []
    several: list[Any] = [{"code": HAIYANG}, {"code": 1, "level": "red"}, {"code": "x", "level": "pink"}, [], None]
    for wrong in several:
        assert faults(document, shape, wrong)
    assert faults(document, shape, {"code": "x", "level": "red", "more": 1})


@pytest.fixture
def served(demo_system: System) -> Iterator[tuple[ApiDesk, str]]:
    with TestClient(create_app(demo_system)) as client, web_server(demo_system, "127.0.0.1", 0) as port:
        yield ApiDesk(demo_system, client), f"http://127.0.0.1:{port}"


def test_a_generated_client_reads_proposes_co_signs_and_reports(
    served: tuple[ApiDesk, str], document: dict[str, Any]
) -> None:
    desk, base = served
    system = desk.system
    person = desk.key("observatory", Scope.READ, Scope.INTERNAL, Scope.PROPOSE, Scope.COSIGN, Scope.WEBHOOKS)
    walk = Walker(document, base, person.token)
    assert walk("showKey")[1]["owner"] == "observatory"
    assert walk("listWarnings") == (200, {"items": [], "next": None})
    assert walk("showNewestAssessment")[0] == 404
    _, areas = walk("listAreas", limit=5)
    assert len(areas["items"]) == 5
    assert walk("listAreas", limit=5, cursor=areas["next"])[1]["items"][0]["code"] > areas["items"][-1]["code"]

    wanted = {"areas": [{"code": HAIYANG, "level": "yellow"}], "hours": 12, "reason": "裂缝扩大", "source": "监测点"}
    status, made = walk("propose", secrets.token_hex(8), wanted)
    assert status == 201
    _, package = walk("showPackage", made["id"])
    assert package["package_sha256"] == made["package_sha256"]
    assert len(walk("readPackageFile", made["id"], package["files"][0]["path"])[1]) == package["files"][0]["size"]

    body = {"package_sha256": package["package_sha256"]}
    path, at, nonce = f"/api/v1/warnings/{made['id']}/signoffs", int(system.clock.now().timestamp()), "n" * 20
    digest = call_digest(str(person.signing), "POST", path, at, nonce, json.dumps(body).encode())
    status, signed = walk("cosign", made["id"], secrets.token_hex(8), f"t={at},n={nonce},v1={digest}", body)
    assert (status, signed["role"]) == (201, "observatory")
    assert walk("cosign", made["id"], secrets.token_hex(8), "not a signature", body)[0] == 401

    for name in ("duty", "leader"):
        sign(system.desk, made["id"], desk.actor(name))
    slug = release(system.desk, made["id"], desk.actor("duty")).slug
    assert walk("showWarning", slug)[1]["status"] == "in-force"
    assert walk("listBulletins")[1]["items"][0]["slug"] == slug
    _, bulletin = walk("showBulletin", slug)
    assert walk("readArtefact", slug, bulletin["artefacts"][0]["path"])[0] == 200
    assert walk("countDispatches", slug)[1]["settled"] is False
    assert walk("showArea", HAIYANG)[1]["level"] == "yellow"

    station = Walker(document, base, desk.with_scope(Scope.RECEIPTS).token)
    assert station("recordReceipt", slug, secrets.token_hex(8), {"state": "delivered"})[0] == 409
    accepted(system, desk.station, slug)
    status, receipt = station("recordReceipt", slug, secrets.token_hex(8), {"state": "delivered"})
    assert (status, receipt["targets"][0]["state"]) == (200, "delivered")

    hook = {"url": "http://127.0.0.1:9/x", "events": ["bulletin.released"], "live": False}
    status, added = walk("addWebhook", secrets.token_hex(8), hook)
    assert status == 201
    assert walk("testWebhook", added["id"], secrets.token_hex(8))[0] == 202
    assert walk("listDeliveries", added["id"])[1]["items"][0]["event"] == "ping"
    assert len(walk("listWebhooks")[1]["items"]) == 1
    assert walk("removeWebhook", added["id"])[0] == 204
    assert walk("explainProblem", "partners.never-sent")[0] == 200
    for operation, arguments in (("propose", (secrets.token_hex(8), {})), ("showWarning", ("w-none",))):
        assert walk(operation, *arguments)[0] in (404, 422)
    assert Walker(document, base, None)("listWarnings")[0] == 401


def accepted(system: System, station: str, slug: str) -> None:
    """The station's row as the broadcast channel leaves it."""
    with system.store.read() as work:
        bulletin = work.bulletins.by_slug(slug)
        assert bulletin is not None
        rows = [row for row in work.dispatches.of_bulletin(bulletin.id, "broadcast") if row.target_key == station]
    record_reports(system.store, system.clock, "broadcast", [Report(row.id, "", "accepted") for row in rows])
    with system.store.read() as work:
        found = work.dispatches.get(rows[0].id)
    assert found is not None
    assert found.state is DispatchState.ACCEPTED
