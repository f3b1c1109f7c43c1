"""Subscriptions by mail over a real installation, a real SMTP server and the forms as a browser sends them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock, signed

from geowarn.bootstrap import System, open_system, refuse_live_targets
from geowarn.cli.recipients import import_ as import_command
from geowarn.cli.subscribers import remove_ as remove_command
from geowarn.demo.mail_standin import MailStandIn, Taken
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.network import network_of
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.deliver import run_due
from geowarn.pipeline.letter_lane import LetterLane, LetterWords
from geowarn.pipeline.mailing import leave_token, mailing_list, refuse_unknown_places
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release, retract, retraction_words
from geowarn.pipeline.subscribing import forget
from geowarn.scheduler import publish_all
from geowarn.web.app import create_app

HAIYANG, LAIYANG, QIXIA = "370687", "370682", "370686"
OURS = {"Sec-Fetch-Site": "same-origin"}
READER = "Wang.Li@Example.org"
Officer = Callable[[str], Actor]


@pytest.fixture(scope="module")
def published(demo_forenoon: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo installation whose pages are written."""
    folder = Path(shutil.copytree(demo_forenoon, tmp_path_factory.mktemp("subscribe") / "data"))
    system = open_system(folder)
    publish_all(system)
    system.store.dispose()
    return folder


@pytest.fixture
def demo_folder(published: Path, tmp_path: Path) -> Path:
    """A copy of it; the pages, which nothing here changes, are shared."""
    folder = Path(shutil.copytree(published, tmp_path / "data", ignore=shutil.ignore_patterns("public")))
    (folder / "public").symlink_to(published / "public")
    return folder


@pytest.fixture
def post(demo_system: System) -> Iterator[MailStandIn]:
    """The mail server of the installation."""
    server = MailStandIn().start()
    demo_system.facts["mail"]["port"] = server.port  # type: ignore[index]
    yield server
    server.stop()


@pytest.fixture
def client(demo_system: System, post: MailStandIn) -> TestClient:
    return TestClient(create_app(demo_system), follow_redirects=False)


def form(**more: Any) -> dict[str, Any]:
    return {"mail": READER, "language": "zh", "least": "yellow", "homepage": "", **more}


def put(client: TestClient, path: str, **values: Any) -> Any:
    return client.post(path, data=values, headers=OURS)


def lane_of(system: System) -> LetterLane:
    assert system.postman is not None
    words = LetterWords(system.templates, system.facts)
    return LetterLane(system.store, system.postman, system.vault, system.clock, words, "test")


def letters(system: System, post: MailStandIn) -> list[Taken]:
    """Send what is in the outbox of letters; returns the new ones."""
    before, lane = len(post.mails), lane_of(system)
    try:
        while lane.step():
            pass
    finally:
        lane.close()
    return post.mails[before:]


def parsed(mail: Taken) -> EmailMessage:
    found = message_from_bytes(mail.body, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def link_in(mail: Taken) -> str:
    """The address of the letter's page, without the host."""
    body = parsed(mail).get_body(("plain",))
    assert body is not None
    found = re.search(r"https?://[^/\s]+(/\S+)", body.get_content())
    assert found is not None
    return found.group(1)


def token_of(path: str) -> str:
    return path.partition("token=")[2]


def subscribed(system: System, post: MailStandIn, client: TestClient, **more: Any) -> None:
    assert put(client, "/subscribe", **form(**more)).status_code == 303
    (mail,) = letters(system, post)
    path = link_in(mail)
    assert put(client, path.partition("?")[0], token=token_of(path)).status_code == 200


def released(system: System, officer: Officer, levels: dict[str, Level]) -> str:
    made = propose_by_hand(system.desk, levels, 24, "网格员报告", "网格员", officer("leader"))
    for name in ("duty", "leader", "observatory", "chief")[: 4 if max(levels.values()) > Level.YELLOW else 3]:
        signed(system, made.warning_id, officer(name))
    release(system.desk, made.warning_id, officer("duty"))
    return made.warning_id


def mailed(system: System, post: MailStandIn) -> list[Taken]:
    """Send what the last bulletins owe by mail."""
    before = len(post.mails)
    run_due(system.store, [system.channels["mail"]], system.vault, system.clock, "test")
    return post.mails[before:]


def kept(system: System) -> list[str]:
    with system.store.read() as work:
        return [one.address_masked for one in work.subscribers.all()]


def everything(system: System) -> bytes:
    """All bytes of the database, its log included."""
    return b"".join(path.read_bytes() for path in system.data_dir.glob("geowarn.db*"))


def test_from_the_form_to_the_warning_and_out_by_one_click(
    demo_system: System, post: MailStandIn, client: TestClient, officer: Officer
) -> None:
    page = html.fromstring(client.get("/subscribe").text)
    assert page.xpath("//form/@action") == ["subscribe"]
    asked = put(client, "/subscribe", **form(area=[HAIYANG]))
    assert (asked.status_code, asked.headers["location"]) == (303, "subscribe?step=asked")
    assert "请查收邮件" in client.get("/subscribe?step=asked").text
    (mail,) = letters(demo_system, post)
    assert mail.to == "Wang.Li@example.org"
    assert letters(demo_system, post) == []

    path = link_in(mail)
    for look in (client.get, client.head, client.get):  # whoever looks at links confirms nothing
        assert look(path).status_code == 200
    shown = client.get(path).text
    assert "W***@e***.org" in shown
    assert "海阳市" in shown
    assert kept(demo_system) == []
    warning = released(demo_system, officer, {HAIYANG: Level.YELLOW})
    assert mailed(demo_system, post) == []

    assert client.post(path.partition("?")[0], data={"token": token_of(path)}).status_code == 403  # another site
    done = put(client, path.partition("?")[0], token=token_of(path))
    assert (done.status_code, "已订阅" in done.text) == (200, True)
    assert kept(demo_system) == ["W***@e***.org"]
    assert put(client, path.partition("?")[0], token=token_of(path)).status_code == 404  # used up

    retract_now(demo_system, warning, officer)
    assert mailed(demo_system, post) == []  # never told of it
    third = released(demo_system, officer, {HAIYANG: Level.YELLOW})
    (bulletin,) = mailed(demo_system, post)
    found = parsed(bulletin)
    assert "黄色预警" in found["Subject"]
    leave = re.search(r"https?://[^/]+(/subscribe-end\?token=\S+)>", found["List-Unsubscribe"])
    assert leave is not None
    with demo_system.store.read() as work:
        (last,) = work.bulletins.of_warning(third)
        (row,) = work.dispatches.of_bulletin(last.id, "mail")
        (person,) = work.subscribers.all()
    assert (row.state, row.target_key) == (DispatchState.ACCEPTED, person.id)
    assert row.provider_id == f"<{row.id}@geowarn.invalid>"

    retract_now(demo_system, third, officer)
    (withdrawn,) = mailed(demo_system, post)  # whoever was told is told that it was wrong
    assert "撤回" in parsed(withdrawn)["Subject"]

    assert client.get(leave.group(1)).status_code == 200  # looking ends nothing
    assert kept(demo_system) != []
    gone = client.post(leave.group(1), data={"List-Unsubscribe": "One-Click"})  # a mail program, no browser
    assert (gone.status_code, kept(demo_system)) == (200, [])
    assert client.post(leave.group(1)).status_code == 200  # once more does no harm
    assert client.post("/subscribe-end?token=m-0123456789.0000").status_code == 404

    with demo_system.store.read() as work:
        kinds = [(e.kind, e.subject) for e in work.ledger.entries() if e.kind.startswith("subscriber.")]
    assert kinds == [("subscriber.confirmed", person.id), ("subscriber.ended", person.id)]
    held = everything(demo_system)
    assert b"example.org" not in held
    assert b"Wang.Li" not in held


def retract_now(system: System, warning: str, officer: Officer) -> None:
    with system.store.read() as work:
        last = work.bulletins.of_warning(warning)[-1]
    retract(system.desk, warning, retraction_words(last)[0], officer("duty"))


def test_the_page_never_says_whether_an_address_subscribes(
    demo_system: System, post: MailStandIn, client: TestClient
) -> None:
    subscribed(demo_system, post, client)
    answers = {
        (answer.status_code, answer.headers["location"], answer.content)
        for answer in (
            put(client, "/subscribe", **form()),
            put(client, "/subscribe", **form(mail="other@example.org")),
            put(client, "/subscribe-change", mail=READER, homepage=""),
            put(client, "/subscribe-change", mail="nobody@example.org", homepage=""),
        )
    }
    assert answers == {(303, "subscribe?step=asked", b"")}
    sent = {mail.to: link_in(mail).partition("?")[0] for mail in letters(demo_system, post)}
    assert sent == {"Wang.Li@example.org": "/subscribe-choices", "other@example.org": "/subscribe-confirm"}


def test_choices_are_changed_and_ended_by_a_mailed_link(
    demo_system: System, post: MailStandIn, client: TestClient
) -> None:
    subscribed(demo_system, post, client, area=[HAIYANG])
    put(client, "/en/subscribe-change", mail=READER.lower(), homepage="")
    (mail,) = letters(demo_system, post)
    path = link_in(mail)
    page = html.fromstring(client.get(path).text)
    assert page.xpath("//input[@name='area'][@checked]/@value") == [HAIYANG]
    wrong = put(client, "/subscribe-choices", token=token_of(path), language="zh", least="blue", area=[HAIYANG])
    assert (wrong.status_code, "最低级别" in wrong.text) == (422, True)
    changed = put(client, "/subscribe-choices", token=token_of(path), language="en", least="red", area=[QIXIA, LAIYANG])
    assert changed.status_code == 200
    with demo_system.store.read() as work:
        (person,) = work.subscribers.all()
    assert (person.wish.language, person.wish.areas, person.wish.least) == ("en", (LAIYANG, QIXIA), Level.RED)
    assert client.get(path).status_code == 404
    put(client, "/subscribe-change", mail=READER, homepage="")
    (mail,) = letters(demo_system, post)
    assert link_in(mail).startswith("/en/subscribe-choices?token=")
    ended = put(client, "/en/subscribe-choices", token=token_of(link_in(mail)), end="yes")
    assert "Ended" in ended.text
    assert kept(demo_system) == []


def test_what_a_form_cannot_use_is_named_and_what_was_typed_stays(client: TestClient) -> None:
    for wrong, field in (
        ({"mail": "no address"}, "邮箱"),
        ({"mail": "a@b\r\nBcc: c@d.org"}, "邮箱"),
        ({"area": ["1"]}, "地区"),
        ({"least": "blue"}, "最低级别"),
        ({"language": "fr"}, "语言"),
    ):
        answer = put(client, "/subscribe", **form(**wrong))
        assert answer.status_code == 422
        page = html.fromstring(answer.text)
        assert str(page.xpath("string(//*[@id='fault']/b)")).startswith(field)
        assert bool(page.xpath("//input[@name='mail'][@aria-invalid]")) is ("mail" in wrong)
    assert html.fromstring(answer.text).xpath("//input[@name='mail']/@value") == [READER]
    assert put(client, "/en/subscribe", **form(mail="x")).text.count("no mail address") == 1


def test_links_end_by_themselves_and_nothing_is_kept_of_them(
    demo_system: System, post: MailStandIn, client: TestClient, settable_clock: SettableClock
) -> None:
    put(client, "/subscribe", **form())
    (mail,) = letters(demo_system, post)
    path = link_in(mail)
    settable_clock.advance(hours=48)
    assert client.get(path).status_code == 404
    assert put(client, "/subscribe-confirm", token=token_of(path)).status_code == 404
    assert client.get("/subscribe-choices?token=x").status_code == 404
    assert forget(demo_system.store, demo_system.clock) > 0
    settable_clock.advance(days=8)
    forget(demo_system.store, demo_system.clock)
    with demo_system.store.read() as work:
        assert work.letters.of_subject("x") == ()
        assert work.subscribers.asked("x") is None
    assert forget(demo_system.store, demo_system.clock) == 0


def test_too_many_are_turned_away_and_no_mailbox_is_filled(
    demo_system: System, post: MailStandIn, client: TestClient, settable_clock: SettableClock
) -> None:
    for _ in range(5):
        assert put(client, "/subscribe", **form()).status_code == 303
    assert len(letters(demo_system, post)) == 3  # to one address, on the same answer
    for number in range(5):
        assert put(client, "/subscribe", **form(mail=f"p{number}@example.org")).status_code == 303
    answer = put(client, "/subscribe", **form(mail="p9@example.org"))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    assert "12379" in answer.text
    settable_clock.advance(hours=1, seconds=1)
    assert put(client, "/subscribe", **form(mail="p9@example.org")).status_code == 303
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7") == "192.0.2.7"


def test_a_machine_that_fills_every_field_gets_the_same_answer_and_nothing_else(
    demo_system: System, post: MailStandIn, client: TestClient
) -> None:
    assert put(client, "/subscribe", **form(homepage="https://spam.example")).status_code == 303
    assert put(client, "/subscribe-change", mail=READER, homepage="x").status_code == 303
    assert letters(demo_system, post) == []


def test_a_letter_that_nobody_can_vouch_for_is_settled_at_once_and_never_sent_twice(
    demo_system: System, post: MailStandIn, client: TestClient, settable_clock: SettableClock
) -> None:
    answers = iter(["", None])
    post.script = lambda step, _: next(answers) if step == "content" else None
    put(client, "/subscribe", **form())
    assert letters(demo_system, post) == []
    put(client, "/subscribe", **form(mail="other@example.org"))
    with demo_system.store.begin() as work:  # a process that ended between claim and answer
        now = demo_system.clock.now()
        assert len(work.letters.claim("ended", now, now, 8)) == 1
        work.commit()
    assert letters(demo_system, post) == []
    settable_clock.advance(minutes=10)
    with demo_system.store.read() as work:
        assert not work.letters.waiting(demo_system.clock.now())
    assert letters(demo_system, post) == []


def test_a_fault_that_every_letter_would_meet_is_a_task_and_holds_them_all(
    demo_system: System, post: MailStandIn, client: TestClient, settable_clock: SettableClock
) -> None:
    tried: list[str] = []

    def refusing(step: str, _: str) -> str | None:
        tried.extend([step] * (step == "mail"))
        return "550 5.7.1 not from you" if step == "mail" and len(tried) == 1 else None

    post.script, lane = refusing, lane_of(demo_system)
    put(client, "/subscribe", **form())
    while lane.step():
        pass
    put(client, "/subscribe", **form(mail="other@example.org"))
    assert (lane.step(), len(tried)) == (False, 1)
    with demo_system.store.read() as work:
        tasks = [(t.kind, t.subject, t.facts["reason"]) for t in work.tasks.pending() if t.kind == "channel-fault"]
    assert tasks == [("channel-fault", "mail", "mail.sender-refused 550 5.7.1")]
    settable_clock.advance(seconds=30)
    while lane.step():
        pass
    lane.close()
    assert sorted(mail.to for mail in post.mails) == ["Wang.Li@example.org", "other@example.org"]


def test_without_the_channel_there_is_no_form_and_no_way_to_it(demo_folder: Path) -> None:
    (demo_folder / "public").unlink()
    channels = demo_folder / "config" / "channels.toml"
    channels.write_text(channels.read_text("utf-8").replace(', "mail"', ""), "utf-8")
    system = open_system(demo_folder)
    publish_all(system)
    client = TestClient(create_app(system), follow_redirects=False)
    for language in ("zh", "en"):
        answer = client.get(f"/subscribe?lang={language}")
        assert answer.status_code == 404
        assert "12379" in answer.text
    assert put(client, "/subscribe", **form()).status_code == 404
    assert 'href="subscribe"' not in client.get("/").text
    system.store.dispose()


def test_offices_and_newsrooms_are_imported_and_removed_by_command(demo_system: System, tmp_path: Path) -> None:
    file = tmp_path / "offices.csv"
    head = "mail,area,language,role,consent\n"
    file.write_text(
        f"{head}duty@county.example,{HAIYANG},zh,official,list 2026\n"
        f"duty@county.example,{QIXIA},zh,official,list 2026\n"
        "desk@news.example,,en,newsroom,agreed by mail\ngroup@drill.example,,zh,exercise,drill\n",
        "utf-8",
    )
    import_command(file, demo_system.data_dir)
    with demo_system.store.read() as work:
        found = {one.role: one for one in work.subscribers.all()}
        assert work.subscribers.counts()[("official", "zh", "yellow")] == 1
    assert found["official"].wish.areas == (QIXIA, HAIYANG)
    assert found["newsroom"].wish.areas == ()
    import_command(file, demo_system.data_dir)  # once more changes nobody
    with demo_system.store.read() as work:
        assert {one.id for one in work.subscribers.all()} == {one.id for one in found.values()}
    with demo_system.store.read() as work:
        listed = mailing_list(work, demo_system.facts)
    groups = {target.key: (target.group, target.trial, target.tier) for target in listed}
    assert groups[found["exercise"].id] == (True, True, 1)
    assert groups[found["newsroom"].id] == (False, False, 1)
    remove_command("DUTY@county.example", "asked by telephone", demo_system.data_dir)
    assert len(kept(demo_system)) == 2
    with pytest.raises(Refused, match="no-such-subscriber"):
        remove_command("duty@county.example", "again", demo_system.data_dir)
    for row, key in (
        ("x,,zh,official,c", "mail.bad-address"),
        ("a@b.example,1,zh,official,c", "mail.unknown-area"),
        ("a@b.example,,zh,subscriber,c", "mail.unknown-role"),
        ("a@b.example,,zh,official,", "recipients.consent"),
        ('a@b.example,,zh,official,"c', "recipients.not-csv"),
        (f"a@b.example,,zh,official,c\nA@b.example,{HAIYANG},en,official,c", "mail.contradiction"),
        ("a@b.example,,zh,official,c\ndesk@news.example,,en,exercise,c", "mail.role-kept"),
        ("a@b.example,,zh,official,c\nGroup@drill.example,,zh,official,c", "mail.role-kept"),
    ):
        file.write_text(head + row + "\n", "utf-8")
        with pytest.raises(Refused, match=key) as raised:
            import_command(file, demo_system.data_dir)
        assert not any(name in str(raised.value) for name in ("b.example", "news.example", "drill.example"))
    assert raised.value.facts["line"] == 3
    assert len(kept(demo_system)) == 2  # all of a file or nothing


def test_an_office_keeps_the_places_that_the_form_does_not_list(
    demo_system: System, post: MailStandIn, client: TestClient, tmp_path: Path
) -> None:
    """Without them it would end with every area."""
    file = tmp_path / "offices.csv"
    file.write_text(f"mail,area,language,role,consent\n{READER},370600,zh,official,list\n", "utf-8")
    import_command(file, demo_system.data_dir)
    put(client, "/subscribe-change", mail=READER, homepage="")
    (mail,) = letters(demo_system, post)
    path = link_in(mail)
    page = html.fromstring(client.get(path).text)
    assert page.xpath("//input[@name='area'][@checked]/@value") == ["370600"]
    assert page.xpath("string(//label[input[@name='area'][@checked]])") == "烟台市"
    assert page.xpath("//details[@open]") == []
    assert put(client, "/subscribe", **form(area=["370600"])).status_code == 422  # of the public form it is none
    put(client, "/subscribe-choices", token=token_of(path), language="zh", least="red", area=["370600", HAIYANG])
    with demo_system.store.read() as work:
        (office,) = work.subscribers.all()
    assert (office.wish.areas, office.wish.least, office.role) == (("370600", HAIYANG), Level.RED, "official")


def test_whoever_of_the_exercise_group_subscribes_gets_real_warnings(
    demo_system: System, post: MailStandIn, client: TestClient, tmp_path: Path
) -> None:
    file = tmp_path / "group.csv"
    file.write_text(f"mail,area,language,role,consent\n{READER},,zh,exercise,drill\n", "utf-8")
    import_command(file, demo_system.data_dir)
    put(client, "/subscribe-change", mail=READER, homepage="")
    assert letters(demo_system, post) == []  # there is no subscription to change
    subscribed(demo_system, post, client, area=[HAIYANG])
    with demo_system.store.read() as work:
        (target,) = mailing_list(work, demo_system.facts)
        ended = [entry.payload for entry in work.ledger.entries() if entry.kind == "subscriber.ended"]
    assert (target.group, target.trial, target.wish.areas) == (False, False, (HAIYANG,))
    assert ended == ['{"by":"form, confirmed by link","role":"exercise"}']


@pytest.mark.parametrize(("host", "live"), [("127.0.0.1", False), ("localhost", False), ("127.example.com", True)])
def test_a_name_that_begins_like_this_machine_is_none_of_a_demo(demo_system: System, host: str, live: bool) -> None:
    """House rule 10: synthetic content stays here."""
    settings = demo_system.settings
    mail = settings.model_copy(update={"mail": settings.mail.model_copy(update={"host": host})})
    url = f"http://{host}:9"
    sms = settings.model_copy(update={"sms": settings.sms.model_copy(update={"base_url": url})})
    for made in (mail, sms):
        with pytest.raises(Refused, match="live-in-demo") if live else nullcontext():
            refuse_live_targets(made, demo_system.facts["channels"])


def test_a_mailbox_that_wants_a_place_that_is_not_there_is_named(demo_system: System) -> None:
    box = {"address": "a@b.example", "language": "zh", "areas": ["1"], "least": "yellow", "live": False}
    facts = {"channels": {"enabled": ["mail"], "mailboxes": {"desk": box}}}
    with demo_system.store.read() as work, pytest.raises(Refused, match="no-such-place"):
        refuse_unknown_places(work, facts)


def test_a_token_opens_one_subscription_and_no_other(demo_system: System) -> None:
    one, other = leave_token(demo_system.vault, "m-0123456789"), leave_token(demo_system.vault, "m-0123456780")
    assert one.partition(".")[2] != other.partition(".")[2]
