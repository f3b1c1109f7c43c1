"""Mail in the lane: an exercise is refused to live mailboxes by the lane alone; mailboxes are checked as written."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.test_exercise_gates import NOW, Desk, Leaky, Standing

from geowarn.cli.channels import probe
from geowarn.demo.mail_standin import MailStandIn
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.domain.errors import Refused
from geowarn.domain.subscriber import Subscriber, Wish
from geowarn.domain.warning import Series
from geowarn.mailboxes import mailbox_entry
from geowarn.pipeline.lane import Lane
from geowarn.pipeline.mailing import leave_token, who_leaves
from geowarn.pipeline.targets import Loader
from geowarn.security import FileVault
from geowarn.store.unit_of_work import SqlStore

PUBLIC, GROUP = "m-0000000001", "m-0000000002"


@pytest.fixture
def desk(store: SqlStore, vault: FileVault) -> Desk:
    made = Desk(store, vault)
    with store.begin() as work:
        for name, role in ((PUBLIC, "subscriber"), (GROUP, "exercise")):
            address = f"{role}@example.org"
            person = Subscriber(name, vault.key_of(address), vault.seal(address), "m", Wish("zh"), role, "c", NOW)
            work.subscribers.save(person)
        work.commit()
    return made


def owed(desk: Desk, *keys: str) -> None:
    """Dispatches as a broken first place would have written them."""
    rows = [
        Dispatch(f"d-{key}", "b1", "mail", key, "mail/red.zh.txt", 1, "b1:mail", 30, NOW, NOW + timedelta(hours=2))
        for key in keys
    ]
    with desk.store.begin() as work:
        work.dispatches.add_all(rows)
        work.commit()


def reasons(desk: Desk) -> dict[str, tuple[str, str]]:
    with desk.store.read() as work:
        rows = work.dispatches.of_bulletin("b1")
    return {row.target_key: (row.state.value, row.reason or "") for row in rows}


def test_the_lane_alone_keeps_an_exercise_from_live_mailboxes(desk: Desk) -> None:
    """House rule 10, the second of three places: whatever the fan-out wrote, whatever the channel would do."""
    desk.release(Series.EXERCISE)
    owed(desk, PUBLIC, GROUP, "newsroom", "test-box")
    channel = Leaky("mail")
    lane = Lane(desk.store, channel, desk.vault, Standing(), "test", trials=frozenset({"test-box"}))
    lane.drain()
    lane.close()
    assert sorted(channel.had) == ["exercise@example.org", "test-box"]
    refused = ("failed", "deliver.exercise-live-target")
    found = reasons(desk)
    assert (found[PUBLIC], found["newsroom"]) == (refused, refused)


def test_nothing_real_goes_to_the_group_or_to_whoever_has_left(desk: Desk) -> None:
    desk.release(Series.REAL, running=False)
    owed(desk, PUBLIC, GROUP, "m-00000000ff", "newsroom")
    channel = Leaky("mail")
    lane = Lane(desk.store, channel, desk.vault, Standing(), "test")
    lane.drain()
    lane.close()
    assert sorted(channel.had) == ["newsroom", "subscriber@example.org"]
    found = reasons(desk)
    assert found[GROUP] == found["m-00000000ff"] == (DispatchState.FAILED.value, "deliver.deleted")


def test_only_a_subscriber_gets_the_token_that_ends_a_subscription(desk: Desk) -> None:
    desk.release(Series.REAL, running=False)
    owed(desk, PUBLIC, "newsroom")
    loader = Loader(Leaky("mail"), desk.vault)
    with desk.store.read() as work:
        targets = {row.target_key: loader.target(loader.job(work, row)) for row in work.dispatches.of_bulletin("b1")}
    assert targets["newsroom"].leave == ""
    assert who_leaves(desk.vault, targets[PUBLIC].leave) == PUBLIC
    token = leave_token(desk.vault, PUBLIC)
    for wrong in ("", PUBLIC, token[:-1], token.replace("m-0000000001", "m-0000000002"), f"{token}0", "ü"):
        assert who_leaves(desk.vault, wrong) is None


BOX = {"address": "Desk@Example.org", "live": True}


def test_a_mailbox_is_checked_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEOWARN_TEST_MAILBOX", "a@b.example")
    assert mailbox_entry("f", "desk", BOX) == {
        "address": "Desk@example.org", "language": "zh", "areas": [], "least": "yellow", "live": True
    }  # fmt: skip
    named = mailbox_entry("f", "desk", {"address_env": "GEOWARN_TEST_MAILBOX", "live": False, "name_zh": "社"})
    assert (named["address"], named["name_zh"]) == ("a@b.example", "社")
    for wrong, key in (
        ({**BOX, "adress": "x"}, "mailboxes.desk"),
        ({**BOX, "address": "nobody"}, "mailboxes.desk.address"),
        ({"address_env": "GEOWARN_TEST_NONE", "live": True}, "mailboxes.desk.address_env"),
        ({**BOX, "language": "fr"}, "mailboxes.desk.language"),
        ({**BOX, "areas": "370687"}, "mailboxes.desk.areas"),
        ({**BOX, "least": "none"}, "mailboxes.desk.least"),
        ({"address": "a@b.example"}, "mailboxes.desk.live"),
        (3, "mailboxes.desk.address"),
    ):
        with pytest.raises(Refused) as raised:
            mailbox_entry("channels.toml", "desk", wrong)
        assert raised.value.facts["key"] == key
    for name in ("m-0123456789", "Desk", "-"):
        with pytest.raises(Refused):
            mailbox_entry("channels.toml", name, BOX)


def test_a_channel_is_tried_without_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = MailStandIn().start()
    folder = tmp_path / "data"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "channels.toml").write_text('enabled = ["website", "mail"]\n', "utf-8")
    settings = f'[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\nsender = "w@example.com"\n'
    (folder / "geowarn.toml").write_text(settings, "utf-8")
    probe("mail", folder)
    assert f"127.0.0.1:{server.port}" in capsys.readouterr().out
    assert server.mails == []
    monkeypatch.setenv("GEOWARN_MAIL__USER", "geowarn")
    monkeypatch.setenv("GEOWARN_MAIL__PASSWORD", "secret")
    with pytest.raises(Refused, match=r"mail\.credentials"):
        probe("mail", folder)
    monkeypatch.setenv("GEOWARN_MAIL__SECURITY", "starttls")
    with pytest.raises(Refused, match=r"mail\.no-tls"):
        probe("mail", folder)
    server.stop()
    with pytest.raises(Refused, match=r"mail\.no-connection"):
        probe("mail", folder)
    for name, key in (("website", "no-probe"), ("sms", "no-channel")):
        with pytest.raises(Refused, match=key):
            probe(name, folder)
