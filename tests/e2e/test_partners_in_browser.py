"""The partners' pages with everything they show at once: wide, on a phone and on the narrowest one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.people import Role
from geowarn.hook_service import hook_places, ping_now
from geowarn.pipeline.hooks import add_hook, remove_hook
from geowarn.pipeline.partner_keys import issue_key, revoke_key
from geowarn.pipeline.people import add_user
from geowarn.security import hash_password

pytestmark = pytest.mark.browser

Served = tuple[System, str, str]
KEEPER = "keeper"


@pytest.fixture(scope="module")
def hooked(served: Served) -> Iterator[str]:
    """A working key, a revoked one, and a subscription whose target gives no answer."""
    system, _, _ = served
    kit = (system.store, system.clock, system.vault)
    roles = [Role.ADMINISTRATOR.value]
    add_user(system.store, system.clock, hash_password, KEEPER, "管理员", "Keeper", roles, password_of(KEEPER), "test")
    issue_key(*kit, "test", "observatory", True, ["read", "internal", "propose", "cosign", "webhooks"], days=365)
    gone = issue_key(*kit, "test", "city-site-with-a-long-name", False, ["read", "receipts", "webhooks"])
    revoke_key(system.store, system.clock, "test", gone.key.id)
    address = "http://127.0.0.1:9/a-long-address/that-goes-on/and-on/without-a-blank-in-it/until-it-ends"
    events = ["bulletin.released", "bulletin.updated", "warning.ended", "dispatches.settled"]
    made = add_hook(*kit, "test", "city-site", False, address, events, hook_places(system))
    ping_now(system, "test", made.hook.id)
    yield made.hook.id
    remove_hook(system.store, system.clock, "test", made.hook.id)


@pytest.mark.parametrize("size", ["wide", "phone", "narrow"])
def test_the_pages_can_be_read_by_everyone(browser, hooked: str, size: str) -> None:  # type: ignore[no-untyped-def]
    desk = browser(KEEPER, "wide" if size == "wide" else "phone")
    if size == "narrow":
        metrics = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": False}
        desk.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    for path, said in (
        ("/console/partners?lang=zh", "合作单位"),
        ("/console/partners?lang=en", "failing since"),
        (f"/console/partners/hooks/{hooked}?lang=zh", "收不到推送"),
        (f"/console/partners/hooks/{hooked}?lang=en", "gave no answer"),
    ):
        desk.open(path)
        desk.driver.execute_script("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
        assert said in desk.text
        assert desk.complaints() == []
        assert not desk.scrolls_sideways()
        assert desk.console_errors() == []


def test_a_person_issues_a_key_and_sees_it_once(browser, hooked: str) -> None:  # type: ignore[no-untyped-def]
    desk = browser(KEEPER, "wide")
    desk.open("/console/partners?lang=en")
    desk.press("details summary")
    desk.fill("#k-partner", "evening-news")
    desk.press('input[name="scope.read"]')
    desk.submit('form[action="/console/partners/keys"] button')
    assert "Shown this once" in desk.text
    assert "gwk_" in desk.find(".kv .mono").text
    assert desk.complaints() == []
    desk.open("/console/partners")
    assert "Shown this once" not in desk.text
