"""Stations: words for the air, frozen items, and a folder that is whole at any moment."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest
from lxml import etree

from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.dispatch import Outcome
from geowarn.domain.errors import PermanentFailure, TemporaryFailure
from geowarn.domain.level import Level
from geowarn.domain.package import fill
from geowarn.domain.warning import Act, Series
from geowarn.ports import ChannelContext, Delivery, PublishedBulletin, SiteState, Target
from geowarn_channels.broadcast import BroadcastChannel
from geowarn_channels.broadcast_item import LONGEST_CRAWL, LONGEST_TITLE, PATH, item_bytes, item_of
from geowarn_channels.station_feed import OWN

STORM = {"370687": Level.RED, "370682": Level.ORANGE, "370686": Level.YELLOW, "370612": Level.BLUE}
STATIONS = {
    "city-tv": {"name_zh": "电视台", "name_en": "TV", "key_sha256": "0" * 64, "live": True},
    "test": {"name_zh": "测试台", "name_en": "Test", "key_sha256": "1" * 64, "live": False},
}


class Air:
    """A channel over a temporary folder, with a state that a test sets."""

    def __init__(self, drafts: Any, folder: Path) -> None:
        self.drafts, self.folder = drafts, folder / "broadcast"
        self.state = self.showing(1)
        settings = {**drafts.facts, "channels": {"stations": STATIONS}}
        context = ChannelContext(settings, folder, drafts.templates, _NoClock(), lambda showing="": self.state)
        self.channel = BroadcastChannel(context)

    def released(self, serial: int, **changes: Any) -> tuple[Bulletin, bytes]:
        """A bulletin and its frozen item."""
        content = replace(self.drafts.content(STORM), **changes)
        bulletin = self.drafts.released(content, serial)
        body = item_bytes(item_of(self.drafts.draft(content), self.drafts.templates))
        return bulletin, fill(body, {**bulletin.late, "number": bulletin.number})

    def showing(self, sequence: int, *items: tuple[Bulletin, bytes, Standing]) -> SiteState:
        """A state with these items, generated an hour after the first release."""
        onset = self.drafts.content(STORM).onset
        return SiteState(
            sequence=sequence,
            generated=onset + timedelta(hours=1),
            next_update=onset + timedelta(hours=3),
            bulletins=tuple(PublishedBulletin(b, standing, None, {PATH: body}) for b, body, standing in items),
            areas=self.drafts.areas,
            none_in_force_since=None,
            synthetic=False,
            checkpoint=None,
        )

    def send(self, bulletin: Bulletin, body: bytes, station: str) -> Any:
        """Send the item to one station."""
        target = Target("d-1", station, station, bulletin.content.expires)
        return self.channel.send(Delivery(bulletin, {PATH: body}, PATH), target)

    def index(self, station: str) -> Any:
        """What the station reads."""
        return json.loads((self.folder / station / "items.json").read_text("utf-8"))


class _NoClock:
    def now(self) -> Any:
        raise AssertionError("a channel never asks for the time")


@pytest.fixture
def air(drafts: Any, tmp_path: Path) -> Air:
    """A fresh channel with two stations, one of them live."""
    return Air(drafts, tmp_path)


def test_the_item_is_ready_for_the_air(drafts: Any, air: Air) -> None:
    message = air.channel.prepare(drafts.draft(drafts.content(STORM)))
    (artefact,) = message.artefacts
    item = json.loads(artefact.body)
    assert (item["level"], item["must_carry"], item["may_interrupt"], item["repeat_minutes"]) == ("red", True, True, 10)
    assert item["title"]["zh"] == "海阳市、莱阳市、栖霞市地质灾害红色预警"
    assert item["crawl"]["zh"].startswith(
        "地质灾害气象风险红色预警：烟台市自然资源和规划局、烟台市气象台联合发布，7月23日2时"
    )
    assert "七月二十三日凌晨两点" in item["script"]["zh"]
    assert "two in the morning on the twenty-third of July" in item["script"]["en"]
    assert "牟平" not in artefact.body.decode()
    assert [url.rsplit("-", 1)[1] for url in item["cap"]] == ["red.xml", "orange.xml", "yellow.xml"]
    seconds = {m.path.split("#")[1]: m.seconds for m in message.measures if m.seconds}
    assert seconds == {f"script.{language}": item["script_seconds"][language] for language in ("zh", "en")}


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("series", [Series.REAL, Series.EXERCISE])
def test_captions_fit_and_scripts_hold_no_figure(drafts: Any, act: Act, series: Series) -> None:
    codes = [code for code in drafts.areas if code != "370600"]
    levels = {code: (Level.RED, Level.ORANGE, Level.YELLOW)[index % 3] for index, code in enumerate(codes)}
    item = item_of(drafts.draft(drafts.content(levels, act, series=series), synthetic=True), drafts.templates)
    for language in ("zh", "en"):
        assert len(item["title"][language]) <= LONGEST_TITLE
        assert len(item["crawl"][language]) <= LONGEST_CRAWL[language]
        assert not any(c.isdigit() or c in "（）()【】[]\n\t" for c in item["script"][language])
        assert not any(c in item["crawl"][language] for c in "\n\t")
        assert "http" not in item["crawl"][language]
    assert "合成演示降雨" in item["title"]["zh"]
    assert "非真实预报" in item["script"]["zh"]
    assert "NOT REAL" in item["title"]["en"]
    assert "not a real forecast" in item["script"]["en"]
    assert (item["script"]["zh"].startswith("演练")) == (series is Series.EXERCISE)


def test_a_retraction_tells_the_station_what_to_stop(drafts: Any) -> None:
    content = drafts.content(STORM)
    retract = drafts.draft(replace(content, act=Act.RETRACT), original=content)
    assert item_of(retract, drafts.templates)["replaces"] == ["[[late:original.slug]]"]
    update = drafts.draft(replace(content, act=Act.UPDATE), (drafts.released(content, 1),))
    assert item_of(update, drafts.templates)["replaces"] == ["2026-001"]


def test_sending_puts_the_frozen_bytes_where_the_station_polls(air: Air) -> None:
    bulletin, body = air.released(12)
    air.state = air.showing(7, (bulletin, body, Standing.IN_FORCE))
    receipt = air.send(bulletin, body, "city-tv")
    assert receipt.outcome is Outcome.ACCEPTED
    assert (air.folder / "city-tv" / "items" / "2026-012.json").read_bytes() == body
    index = air.index("city-tv")
    assert index["sequence"] == 7
    assert [entry["slug"] for entry in index["items"]] == ["2026-012"]
    assert index["items"][0]["sha256"] == sha256_hex(body)
    assert body in (air.folder / "city-tv" / "items.json").read_bytes()
    assert air.send(bulletin, body, "city-tv").outcome is Outcome.ACCEPTED


def test_the_feed_is_valid_atom_with_its_pulse(air: Air) -> None:
    bulletin, body = air.released(12)
    air.channel.publish(air.showing(7, (bulletin, body, Standing.IN_FORCE)))
    feed = (air.folder / "test" / "feed.atom").read_bytes()
    read = feedparser.parse(feed)
    assert not read.bozo
    (entry,) = read.entries
    assert entry.title == json.loads(body)["title"]["zh"]
    assert [link.type for link in entry.links] == ["text/html"] + ["application/cap+xml"] * 3
    root = etree.fromstring(feed)
    assert root.findtext(f"{{{OWN}}}sequence") == "7"
    assert root.findtext(f"{{{OWN}}}next_due") == "2026-07-23T03:01:00+08:00"


def test_what_ended_goes_and_its_end_is_shown_for_two_days(air: Air) -> None:
    alert, lift = air.released(12), air.released(13, act=Act.LIFT)
    air.channel.publish(air.showing(7, (*lift, Standing.CLOSING), (*alert, Standing.LIFTED)))
    assert [(e["slug"], e["standing"]) for e in air.index("test")["items"]] == [("2026-013", "closing")]
    later = replace(air.showing(8, (*lift, Standing.CLOSING)), generated=lift[0].released_at + timedelta(hours=49))
    air.channel.publish(later)
    assert air.index("test")["items"] == []


def test_an_older_state_changes_nothing(air: Air) -> None:
    bulletin, body = air.released(12)
    air.channel.publish(air.showing(7, (bulletin, body, Standing.IN_FORCE)))
    before = (air.folder / "test" / "feed.atom").read_bytes()
    air.channel.publish(air.showing(6))
    assert air.index("test")["sequence"] == 7
    assert (air.folder / "test" / "feed.atom").read_bytes() == before


@pytest.mark.parametrize("changes", [{"series": Series.EXERCISE}, {"synthetic": True}])
def test_a_live_station_never_gets_an_exercise(air: Air, changes: dict[str, Any]) -> None:
    bulletin, body = air.released(3, **changes)
    air.state = air.showing(7, (bulletin, body, Standing.IN_FORCE))
    with pytest.raises(PermanentFailure, match="never reaches a live station"):
        air.send(bulletin, body, "city-tv")
    assert not (air.folder / "city-tv").exists()
    assert air.send(bulletin, body, "test").outcome is Outcome.ACCEPTED
    air.channel.publish(air.state)
    assert air.index("city-tv")["items"] == []
    assert len(air.index("test")["items"]) == 1


def test_an_unknown_station_and_a_full_disk_are_told_apart(air: Air) -> None:
    bulletin, body = air.released(12)
    with pytest.raises(PermanentFailure, match="no station"):
        air.send(bulletin, body, "radio")
    air.folder.parent.mkdir(exist_ok=True)
    air.folder.write_text("a file where the folder should be")
    with pytest.raises(TemporaryFailure, match="folder"):
        air.send(bulletin, body, "test")


def test_below_the_public_level_there_is_no_item(drafts: Any, air: Air) -> None:
    assert air.channel.prepare(drafts.draft(drafts.content({"370612": Level.BLUE}))).artefacts == ()
