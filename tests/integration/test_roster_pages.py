"""The roster at the console without script: every act is a form, every right is the use case's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.test_console_pages import OURS, Desk, parsed

from geowarn.bootstrap import System
from geowarn.domain.people import Shift
from geowarn.pipeline.roster import watch_roster
from geowarn.pipeline.roster_asks import ask_people

PAGE, CHANGE = "/console/roster", "/console/roster/change"


@pytest.fixture
def desk(demo_system: System) -> Callable[[str], Desk]:
    return lambda name: Desk(demo_system, name)


def shifts(system: System) -> tuple[Shift, ...]:
    now = system.clock.now()
    with system.store.read() as work:
        return work.shifts.between(now, now + timedelta(days=12))


def code_of(system: System, person: str, shift: str) -> str:
    """What the text said that asked about this shift: a person may have been asked about two."""
    with system.store.read() as work:
        asked = next(ask for ask in work.roster.asked(person) if ask.shift == shift)
        (notice,) = work.notices.of_subject(asked.id)
    return str(notice.facts["code"])


def text_of(page: str) -> str:
    return " ".join(str(parsed(page).text_content()).split())


def test_a_hole_is_shown_and_filled(demo_system: System, desk: Callable[[str], Desk]) -> None:
    leader, hole = desk("leader"), shifts(demo_system)[3]
    leader.submit(CHANGE, f"{PAGE}/remove", shift=hole.id)
    page = leader.get(PAGE)
    assert "空班" in text_of(page)
    assert watch_roster(demo_system.roster_desk)
    assert "值班安排有缺" in text_of(leader.get("/console/"))
    link = next(href for href in parsed(page).xpath("//section[@class='todo']//a/@href") if "start=" in href)
    form = next(form for form in parsed(leader.get(link)).forms if form.action == f"{PAGE}/assign")
    fields = dict(form.form_values()) | {"officer": "duty-c", "deputy": "duty-b", "leader": "leader"}
    assert leader.client.post(form.action, data=fields, headers=OURS).status_code == 200
    filled = next(one for one in shifts(demo_system) if one.start == hole.start)
    assert (filled.officer, filled.deputy, filled.end) == ("duty-c", "duty-b", hole.end)
    watch_roster(demo_system.roster_desk)
    assert "空班" not in text_of(leader.get(PAGE))


def asked_about(person: Desk) -> list[str]:
    """The shifts that a person's page asks about, as its forms name them."""
    page = parsed(person.get(PAGE))
    assert "请确认：您" in str(page.text_content())
    return [form.fields["shift"] for form in page.forms if form.action == f"{PAGE}/confirm" and "code" in form.fields]


def test_confirming_with_the_code_of_the_text(
    demo_system: System, desk: Callable[[str], Desk], settable_clock: SettableClock
) -> None:
    settable_clock.moment = shifts(demo_system)[1].start - timedelta(hours=20)
    coming = next(shift for shift in shifts(demo_system) if shift.start > demo_system.clock.now())
    ask_people(demo_system.roster_desk)
    mine = desk(coming.officer)
    for shift in asked_about(mine):
        refused = mine.submit(PAGE, f"{PAGE}/confirm", 409, code="12")
        assert "验证码不对，还可试 4 次" in text_of(refused)
        mine.submit(PAGE, f"{PAGE}/confirm", code=code_of(demo_system, coming.officer, shift))
    after = text_of(mine.get(PAGE))
    assert "请确认：您" not in after
    assert "已应答" in after
    leader = desk("leader")
    form = next(f for f in parsed(leader.get(PAGE)).forms if f.xpath(".//select[@name='shift']"))
    told = {"form_token": form.fields["form_token"], "shift": f"{coming.id} {coming.deputy}", "answer": "no"}
    assert "不能到岗" in text_of(leader.client.post(f"{PAGE}/confirm", data=told, headers=OURS).text)


def test_a_swap_from_question_to_approval(demo_system: System, desk: Callable[[str], Desk]) -> None:
    wanted = shifts(demo_system)[2]
    giver = "duty-c" if wanted.officer == "duty-c" else wanted.officer
    taker = next(n for n in ("duty", "duty-b", "duty-c") if n not in (wanted.officer, wanted.deputy))
    fields = {"shift": wanted.id, "part": "officer", "taker": taker, "reason": "看病 <b>"}
    said = desk(giver).submit(CHANGE, f"{PAGE}/swap", **fields)
    assert "待接班人同意" in text_of(said)
    assert "看病 &lt;b&gt;" in said
    with demo_system.store.read() as work:
        (swap,) = work.roster.swaps(demo_system.clock.now())
    desk(taker).submit(CHANGE, f"{PAGE}/swap/{swap.id}/agree")
    desk("leader").submit(CHANGE, f"{PAGE}/swap/{swap.id}/approve")
    assert next(s for s in shifts(demo_system) if s.id == wanted.id).officer == taker
    assert "换班" in text_of(desk("duty").get(PAGE))


def test_hand_over_and_report(demo_system: System, desk: Callable[[str], Desk], settable_clock: SettableClock) -> None:
    first, second = shifts(demo_system)[:2]
    settable_clock.moment = first.end - timedelta(minutes=10)
    said = desk("duty").submit(PAGE, f"{PAGE}/hand-over", notes="后半夜注意 <南部>\n第二行")
    assert "接班人尚未签" in text_of(said)
    assert "&lt;南部&gt;<br>第二行" in said
    settable_clock.moment = first.end + timedelta(minutes=2)
    assert "双方已签" in text_of(desk(second.officer).submit(PAGE, f"{PAGE}/take-over"))
    report = desk("leader").get(f"{PAGE}/shifts/{first.id}")
    assert "的值班报告" in text_of(report)
    assert "交班" in text_of(report)
    assert desk("leader").client.get(f"{PAGE}/shifts/sh-none").status_code == 404


def test_out_as_a_calendar_and_in_again(demo_system: System, desk: Callable[[str], Desk]) -> None:
    leader = desk("leader")
    calendar = leader.client.get(f"{PAGE}/export.ics")
    assert calendar.headers["content-type"].startswith("text/calendar")
    text = calendar.text.replace("duty-c", "duty-b").replace("X-GEOWARN-DEPUTY:duty-b", "X-GEOWARN-DEPUTY:duty")
    before = shifts(demo_system)
    refused = leader.submit(CHANGE, f"{PAGE}/import", 409, text=text + "END:VEVENT")
    assert "console：第" in text_of(refused)
    assert shifts(demo_system) == before
    table = leader.get(f"{PAGE}/export.csv")
    later = [line for line in table.splitlines()[1:] if before[0].id not in line]
    swapped = [line.replace(",duty-c,duty-b,", ",duty-b,duty-c,") for line in later]
    leader.submit(CHANGE, f"{PAGE}/import", text="\n".join([table.splitlines()[0], *swapped]))
    assert next(s for s in shifts(demo_system) if s.id == before[1].id).officer == "duty-b"


@pytest.mark.parametrize("week", ["2026-W30", "2026-W53", "2027-W01"])
def test_any_week_can_be_looked_at(desk: Callable[[str], Desk], week: str) -> None:
    visitor = desk("duty")
    assert visitor.client.get(f"{PAGE}?week={week}").status_code == 200
    assert visitor.client.get(f"{PAGE}?week={week}%00").status_code == 404
    assert visitor.client.get(f"{PAGE}?week=2026-W60").status_code == 404


def test_no_page_shows_a_number_in_full(demo_system: System, desk: Callable[[str], Desk]) -> None:
    leader = desk("leader")
    for path in (PAGE, CHANGE, f"{PAGE}/export.csv", f"{PAGE}/export.ics"):
        assert "2085550" not in leader.get(path)
