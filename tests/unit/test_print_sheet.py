"""The map on one sheet of A4: what a newspaper prints says what the site says, and every character can be drawn."""

from __future__ import annotations

import fcntl
import re
import unicodedata
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from tests.unit.site_desk import SiteDesk
from tests.unit.test_map import _characters
from tests.unit.test_tree_kept import everything, written_anew

from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Series
from geowarn.settings import load_settings
from geowarn_channels import print_sheet
from geowarn_channels.picture import picture
from geowarn_channels.print_lines import wrapped
from geowarn_channels.print_sheet import HIGH, WIDE

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteDesk:
    monkeypatch.setattr(print_sheet, "DOTS", 60)  # the real size takes half a second each time
    found = SiteDesk(tmp_path)
    found.facts["site"]["print_map"] = True
    return found


def texts(svg: str) -> list[str]:
    """The lines of the sheet itself, without what stands in the map."""
    return [str(one.text) for one in etree.fromstring(svg.encode()) if one.tag == f"{SVG}text"]


def test_it_is_drawn_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEOWARN_SITE__PRINT_MAP")
    assert load_settings(None).site.print_map is True


def test_the_sheet_says_where_which_level_until_when_and_what_to_do(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    site.release({"990101": Level.RED, "990104": Level.YELLOW}, calibrated=False)
    site.publish()
    said = texts(site.read("map-a4.svg"))
    assert said[0] == "烟台市地质灾害气象风险预警"
    assert said[1] == "东山市：红色，风险很高"
    assert "解除前不要返回" in said[2]
    assert said[3] == "有效至 7月23日20时（试地灾预警〔2026〕1号）"
    assert said[4] == "北屿县：黄色，风险较高"
    foot = "".join(said[7:])
    assert "资料截至 7月22日20时，下次更新 7月22日22时前" in foot
    assert "12379" in foot
    assert "联合发布" in foot
    assert "未经本地率定" in foot
    assert "审图号待填" in foot
    drawn = (site.root / "map-a4.png").read_bytes()
    size = (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24]))
    assert size[0] == 1654
    assert abs(size[1] / size[0] - 297 / 210) < 0.002
    assert drawn[37:41] == b"pHYs"
    assert abs(size[0] / int.from_bytes(drawn[41:45]) - 0.21) < 0.0001  # metres
    assert zlib.crc32(drawn[37:50]) == int.from_bytes(drawn[50:54])
    for page in ("feeds/index.html", "en/feeds/index.html", "en/areas/990101/index.html"):
        assert f'{"/en" if page.startswith("en/") else ""}/map-a4.png"' in site.read(page), page
    english = texts(site.read("en/map-a4.svg"))
    assert english[0] == "Yantai: geohazard warnings"
    assert english[1] == "Dongshan City: red, very high risk"
    assert "Do not return until all-clear." in " ".join(english[2:4])
    assert english[4] == "Valid until 23 July, 20:00 (bulletin 2026-001)"
    foot = " ".join(english[8:])
    assert "Data as of 22 July, 20:00; next update before 22 July, 22:00." in foot
    assert "12379" in foot
    assert "Uncalibrated default thresholds." in foot
    assert not [c for c in "".join(english) if c > "\u2fff"]


def test_every_character_of_it_is_in_the_font_we_carry(site: SiteDesk) -> None:
    site.facts["installation"]["map_approval"] = "鲁SG（2026）001号"
    site.release({"990101": Level.YELLOW, "990102": Level.ORANGE})
    site.now += timedelta(hours=25)  # ended, and nobody lifted it
    site.release({"990103": Level.RED}, warning="w-2", series=Series.REAL)
    site.publish(synthetic=True)
    sheets = [etree.fromstring(site.read(path).encode()) for path in ("map-a4.svg", "en/map-a4.svg")]
    drawn = "".join(str(text) for sheet in sheets for text in sheet.itertext())
    assert "没有发过解除" in drawn
    assert "without an all-clear" in drawn
    assert "合成演示降雨（非真实预报）" in drawn
    known = _characters()
    assert not {c for c in drawn if c >= " " and ord(c) not in known}


def test_calm_and_exercise_say_what_they_are(site: SiteDesk) -> None:
    site.release({"990101": Level.RED}, series=Series.EXERCISE)
    site.publish()
    assert texts(site.read("map-a4.svg"))[1] == "当前无生效预警"
    own = (site.data_dir / "exercise" / "public" / "map-a4.svg").read_text("utf-8")
    assert texts(own)[0].startswith("【演练】")
    english = etree.fromstring((site.data_dir / "exercise" / "public" / "en" / "map-a4.svg").read_bytes())
    label = next(one for one in english if one.tag == f"{SVG}text")
    assert str(label.text).startswith("[EXERCISE]")


def test_however_much_is_in_force_it_stays_on_one_sheet(site: SiteDesk) -> None:
    codes = ("990101", "990102", "990103", "990104", "990199")
    for at, code in enumerate(codes * 2):
        site.release({code: Level.RED, "990101001": Level.YELLOW}, warning=f"w-{at}")
    site.publish()
    for path, more in (("map-a4.svg", "另有"), ("en/map-a4.svg", "more in force")):
        tree = etree.fromstring(site.read(path).encode())
        assert any(more in text for text in texts(site.read(path)))
        lines = [one for one in tree if one.tag == f"{SVG}text"]
        assert all(0 < float(one.get("y") or 0) < HIGH for one in lines)
        place = next(
            one.get("transform") or "" for one in tree if "scale" in (one.get("transform") or "") and len(one) > 4
        )
        left, top, scale = (float(number) for number in re.findall(r"[\d.]+", place))
        assert left >= 0
        assert scale > 0.15
        assert max(float(one.get("y") or 0) for one in lines if more in str(one.text)) < top


def test_it_waits_and_is_the_same_anew(site: SiteDesk, tmp_path: Path) -> None:
    site.publish()
    before = (site.root / "map-a4.png").stat().st_mtime_ns
    site.now += timedelta(minutes=1)
    site.publish()
    assert (site.root / "map-a4.png").stat().st_mtime_ns == before
    site.release({"990101": Level.RED}, Act.ISSUE)
    rest = site.channel._write(site.state(), exercise=False)
    assert "当前无生效预警" in texts(site.read("map-a4.svg"))
    assert rest is not None
    assert rest.write()
    assert "东山市：红色，风险很高" in texts(site.read("map-a4.svg"))
    kept, anew = everything(site.root), written_anew(site, tmp_path / "anew")
    assert {path: kept.get(path) for path in anew} == anew


def test_no_release_waits_while_it_is_drawn(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    site.publish()
    site.release({"990101": Level.RED})
    rest = site.channel._write(site.state(), exercise=False)
    free = []

    def drawing(svg: str, width: int) -> bytes:
        with (site.root / ".lock").open("a+b") as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where a writer holds it
            free.append(width)
        return picture(svg, width)

    monkeypatch.setattr(print_sheet, "picture", drawing)
    assert rest is not None
    assert rest.write()
    assert free == [60, 60]


def test_switched_off_it_leaves_nothing_old_behind(site: SiteDesk) -> None:
    site.publish()
    site.facts["site"]["print_map"] = False
    site.publish()
    assert not list(site.root.glob("**/map-a4*"))
    assert "map-a4" not in site.read("feeds/index.html")


@given(st.text(st.sampled_from("山abc d，。12（）x"), max_size=60), st.sampled_from([200.0, 333.0]))
def test_lines_hold_the_whole_text_and_no_more_than_fits(text: str, width: float) -> None:
    lines = wrapped(text, 24, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        wide = sum(24 if unicodedata.east_asian_width(c) in "WFA" else 24 * 0.6 for c in line)
        longest = max(len(word) for word in line.split())
        marks = sum(c in "，。） " for c in line)  # these may hang over
        assert wide <= max(width + 24 * marks, 24 * longest)
    assert not [line for line in lines[1:] if line[0] in "，。）" and lines[0].strip("，。） ")]


def test_long_words_are_wrapped_where_there_are_blanks() -> None:
    assert wrapped("one two three", 20, 100) == ["one two", "three"]
    assert wrapped("山山山，山", 20, 60) == ["山山山，", "山"]
    assert wrapped("", 20, WIDE) == []
