"""Accounts in a real browser: log-in with a code, enrolment, people and their rights, at both sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyotp
import pytest

from geowarn.bootstrap import System
from geowarn.demo.play import code_of
from geowarn.demo.setting import free_port, password_of
from geowarn.pipeline.people import add_user
from geowarn.security import hash_password
from geowarn.serving import web_server

pytestmark = pytest.mark.browser
Served = tuple[System, str, str]


def check_page(browser, where: str) -> None:  # type: ignore[no-untyped-def]
    assert browser.complaints() == [], where
    assert not browser.scrolls_sideways(), where
    assert browser.console_errors() == [], where


@pytest.fixture(scope="module")
def strict_door(served: Served) -> Iterator[str]:
    """The same installation at another address, where logging in takes the second factor."""
    system = served[0]
    web = system.settings.web.model_copy(update={"second_factor": "required"})
    port = free_port()
    with web_server(replace(system, settings=system.settings.model_copy(update={"web": web})), "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def accounts(served: Served) -> None:
    system = served[0]
    for name, role in (("newcomer", "leader"), ("watcher", "auditor")):
        add_user(system.store, system.clock, hash_password, name, name, name, [role], password_of(name), "test")


@pytest.mark.parametrize("size", ["wide", "phone"])
@pytest.mark.usefixtures("accounts")
def test_account_and_people_can_be_read_by_everyone(browser, size: str) -> None:  # type: ignore[no-untyped-def]
    admin = browser("admin", size)
    paths = ("/console/account", "/console/people", "/console/people/duty", "/console/outside", "/console/welcome")
    for path in paths:
        for language in ("zh", "en"):
            admin.open(f"{path}?lang={language}")
            check_page(admin, f"{path} {language} {size}")
    admin.open("/console/people?lang=zh")
    admin.fill("#name", f"guest-{size}")
    admin.submit("form[action='/console/people/invite'] button")
    check_page(admin, f"invited {size}")
    assert "前用一次" in admin.text


@pytest.mark.parametrize("size", ["wide", "phone"])
@pytest.mark.usefixtures("accounts")
def test_a_person_enrols_and_logs_in_with_the_code(  # type: ignore[no-untyped-def]
    browser, served: Served, strict_door: str, size: str
) -> None:
    system, person = served[0], browser("", size)
    name = {"wide": "newcomer", "phone": "watcher"}[size]
    person.base, usual = strict_door, person.base
    try:
        person.log_in(name)
        assert person.path == "/console/account"
        check_page(person, "account of who must enrol")
        person.submit("form[action='/console/account/factor'] button")
        check_page(person, "enrolment")
        picture = person.find("img.qr")
        assert person.driver.execute_script("return arguments[0].naturalWidth", picture) > 100
        secret = person.find("b.digest").text
        person.fill("#code", pyotp.TOTP(secret).now())
        person.submit("main .btn-1")
        check_page(person, "recovery codes")
        codes = [found.text for found in person.driver.find_elements("css selector", ".codes li")]
        assert len(codes) == 10
        person.submit("main a.btn")
        person.fill("#name", name)
        person.fill("#password", password_of(name))
        person.submit("main button")
        check_page(person, "the code at the door")
        person.fill("#code", codes[0])
        person.submit("main button")
        assert person.path == "/console/account"
        assert "9" in person.find("#factor").text
        check_page(person, "account")
    finally:
        person.base = usual
    assert code_of(system, name) == ""  # a real secret is never shown
