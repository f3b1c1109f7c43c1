"""The public tree: what is in force is said on every page, nothing internal is, and every state has its own words."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from tests.unit.site_desk import SiteDesk

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.level import Level
from geowarn.domain.package import late_fields
from geowarn.domain.warning import Act, Series


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


MINUTE = re.compile(r"\d{1,2}(时\d{1,2}分|:[0-5][1-9]|:[1-5]0)")


def parsed(page: str) -> Any:
    return html.fromstring(page)


def pages(site: SiteDesk) -> dict[str, str]:
    return {str(p.relative_to(site.root)): p.read_text("utf-8") for p in sorted(site.root.rglob("*.html"))}


def text_of(page: str) -> str:
    return " ".join(parsed(page).text_content().split())


def test_frozen_files_hold_only_known_late_fields_and_bind_to_content(site: SiteDesk) -> None:
    message = site.channel.prepare(site.draft(site.content({"990101": Level.RED})))
    assert {a.path for a in message.artefacts} == {
        "website/page.zh.html", "website/page.en.html", "website/entry.json", "website/map.svg", "website/cap/red.xml",
    }  # fmt: skip
    assert set(late_fields(message.artefacts)) == {"number", "slug", "sent", "date.zh", "date.en"}
    entry = json.loads(next(a.body for a in message.artefacts if a.path == "website/entry.json"))
    assert entry["levels"][0]["codes"] == ["990101"]


def test_nothing_is_prepared_below_the_public_level(site: SiteDesk) -> None:
    assert site.channel.prepare(site.draft(site.content({"990101": Level.BLUE}))).artefacts == ()


def test_calm_tree_is_complete_and_says_so(site: SiteDesk) -> None:
    site.publish()
    state = json.loads(site.read("current.json"))
    assert state["active"] == []
    assert state["none_in_force"] is True
    assert set(state) >= {"sequence", "generated", "next_update", "active"}
    assert "当前无生效预警" in site.read("index.html")
    assert "No warning in force" in site.read("en/index.html")
    for code in site.areas:
        assert "当前无生效预警" in text_of(site.read(f"areas/{code}/index.html"))
        assert (site.root / f"en/areas/{code}/index.html").is_file()
    for path in (
        "feeds/index.html",
        "archive/index.html",
        "areas/index.html",
        "about/index.html",
        "map.svg",
        "map.png",
    ):
        assert (site.root / path).is_file()
        assert path.startswith("map") or (site.root / "en" / path).is_file()


def test_active_state_has_the_fixed_keys(site: SiteDesk) -> None:
    made = site.release({"990101": Level.RED, "990102": Level.YELLOW})
    site.publish()
    active = json.loads(site.read("current.json"))["active"][0]
    assert set(active) >= {"number", "slug", "level", "areas", "sent", "expires", "url", "cap"}
    assert active["number"] == made.number
    assert active["level"] == "red"
    assert [(a["code"], a["level"]) for a in active["areas"]] == [("990101", "red"), ("990102", "yellow")]
    assert active["sent"] == made.late["sent"]
    for address in active["cap"]:
        path = address.removeprefix(site.facts["site"]["public_url"] + "/")
        assert (site.root / path).read_bytes() in site.bodies[made.id].values()  # byte for byte as released
    features = json.loads(site.read("current.geojson"))["features"]
    assert {f["id"]: f["properties"]["level"] for f in features} == {"990101": "red", "990102": "yellow"}


def test_home_names_the_highest_first_with_its_one_action(site: SiteDesk) -> None:
    site.release({"990102": Level.YELLOW, "990101": Level.RED, "990103": Level.ORANGE})
    site.publish()
    tree = parsed(site.read("index.html"))
    assert len(tree.findall(".//h1")) == 1
    assert "".join(tree.find(".//h1").itertext()).strip() == "东山市红色预警"
    order = [li.find(".//h2").text_content() for li in tree.find_class("force")[0]]
    assert "橙色" in order[0]
    assert "黄色" in order[1]
    assert "解除前不要返回" in tree.find_class("do")[0].text_content()


def test_a_place_has_the_level_of_what_holds_it(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    for code in ("990101", "990101001", "990101001-1"):
        assert "有，红色预警" in text_of(site.read(f"areas/{code}/index.html")).replace(" ", "")
    assert "部分地区有" in text_of(site.read("areas/990000/index.html"))
    assert "没有，" in text_of(site.read("areas/990102001/index.html"))


def test_area_below_the_public_level_is_a_warning_nowhere(site: SiteDesk) -> None:
    site.release({"990101": Level.YELLOW, "990103": Level.BLUE})
    site.publish()
    site.now += timedelta(minutes=5)
    site.release({"990101": Level.YELLOW, "990103": Level.BLUE, "990102": Level.YELLOW}, Act.UPDATE)
    site.publish()
    for path in sorted(p for p in site.root.rglob("*") if p.suffix in (".rss", ".atom", ".xml", ".json", ".geojson")):
        if path.name in (".tree.json", "sitemap.xml"):  # the page of every area is named there, whatever is in force
            continue
        body = path.read_text("utf-8")
        assert "南岭" not in body, path
        assert "Nanling" not in body, path
        assert "990103" not in body, path
        assert "blue" not in body.lower(), path
        assert "蓝色" not in body, path
    for name, page in pages(site).items():
        assert "蓝" not in text_of(page), name
        assert "lv-blue" not in page, name
        assert "co-blue" not in page, name
    for made in site.bulletins:
        article = parsed(site.read(f"w/{made.slug}/index.html")).find_class("frozen")[0]
        assert all("南岭" not in t for t in article.xpath(".//text()[not(ancestor::*[local-name()='svg'])]"))
    own = text_of(site.read("areas/990103/index.html"))
    assert "没有，" in own


@pytest.mark.parametrize(
    ("act", "words", "english"),
    [
        (Act.LIFT, "已解除", "Lifted"),
        (Act.CANCEL, "已取消", "Cancelled"),
        (Act.RETRACT, "已撤回", "Retracted"),
        (Act.UPDATE, "已由2号替代", "Superseded by bulletin 2026-002"),
    ],
)
def test_page_of_an_ended_bulletin_says_how_it_ended(site: SiteDesk, act: Act, words: str, english: str) -> None:
    first = site.release({"990101": Level.ORANGE})
    article = site.bodies[first.id]["website/page.zh.html"].decode()
    site.publish()
    assert "生效中" in site.read(f"w/{first.slug}/index.html")
    site.now += timedelta(hours=2)
    content = site.content({"990101": Level.ORANGE if act is not Act.UPDATE else Level.RED}, act, reason="复核有误")
    site.release({a.code: a.level for a in content.areas}, act, reason="复核有误") if act is not Act.RETRACT else (
        _retract(site, content)
    )
    site.publish()
    page = site.read(f"w/{first.slug}/index.html")
    now = text_of(re.search(r'<p class="now">.*?</p>', page, re.S).group(0))  # type: ignore[union-attr]
    assert words in now
    assert "生效中" not in now
    assert article in page  # what was issued stays word for word
    assert english in text_of(site.read(f"en/w/{first.slug}/index.html"))
    active = json.loads(site.read("current.json"))["active"]
    assert [a["slug"] for a in active] == (["2026-002"] if act is Act.UPDATE else [])


def _retract(site: SiteDesk, content: Any) -> None:
    """A retraction's references carry late fields of the original, filled in the releasing transaction."""
    from dataclasses import replace

    from geowarn.domain.bulletin import Bulletin
    from geowarn.domain.package import filled

    first = site.bulletins[0]
    draft = replace(site.draft(content), original=first.content, earlier=())
    message = site.channel.prepare(draft)
    assert message.problems == ()
    late = {"number": "2", "slug": "2026-002", "sent": "2026-07-22T22:00:00+08:00", "date.zh": "x", "date.en": "x"}
    files = filled(message.artefacts, late | {f"original.{k}": v for k, v in first.late.items()})
    assert late_fields(files) == ()
    made = Bulletin("b-2", "w-1", "p-1", Series.REAL, 2026, 2, "2", "2026-002", site.now, content, "0" * 64, late, {})
    site.bulletins.append(made)
    site.bodies["b-2"] = {a.path: a.body for a in files}


def test_validity_that_merely_ends_is_never_called_lifted(site: SiteDesk) -> None:
    first = site.release({"990101": Level.ORANGE})
    site.now += timedelta(hours=25)
    site.publish()
    page = site.read(f"w/{first.slug}/index.html")
    now = text_of(re.search(r'<p class="now">.*?</p>', page, re.S).group(0))  # type: ignore[union-attr]
    assert "已满，没有发过解除" in now
    assert "不等于危险已过" in now
    assert "已解除" not in text_of(page)
    assert "没有发过解除" in site.read("index.html")
    assert "no all-clear issued" in site.read(f"en/w/{first.slug}/index.html")


def test_every_page_carries_times_telephones_language_and_needs_no_script(site: SiteDesk) -> None:
    site.facts["issuer"]["duty_phone"] = "0999-000 0000"
    site.release({"990101": Level.RED, "990102": Level.YELLOW})
    site.now += timedelta(minutes=17)
    site.publish()
    for path, page in pages(site).items():
        tree = parsed(page)
        english = path.startswith("en/")
        assert tree.get("lang") == ("en" if english else "zh-CN"), path
        assert len(tree.findall(".//h1")) == 1, path
        assert ("Data as of" if english else "资料截至") in page, path
        assert ("A saved" if english else "存下来离线看的页面") in page, path
        for number in ("12379", "110", "119", "09990000000"):
            assert f'href="tel:{number}"' in page, (path, number)
        for script in tree.findall(".//script"):  # one that enlarges the map, and blocks nothing
            assert script.get("defer") is not None, path
            assert not script.text, path
            assert ((site.root / path).parent / script.get("src")).resolve() == (site.root / "static/map.js").resolve()
        assert not tree.findall(".//style")
        assert not tree.xpath("//@style | //@*[starts-with(name(), 'on')]"), path
        assert "http-equiv" not in page
        assert not MINUTE.search(text_of(page)), (path, MINUTE.search(text_of(page)))
        assert len(page.encode()) < 50_000, path
        for svg in tree.xpath("//*[local-name()='svg'][@role='img']"):
            assert svg.find(".//title").text, path
        for field in tree.xpath("//input"):
            assert tree.xpath(f"//label[@for='{field.get('id')}']"), path
        ids = tree.xpath("//@id")
        assert len(ids) == len(set(ids)), path


def test_pages_lead_to_the_search_only_where_the_program_answers_it(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    for start in ("", "en/"):
        shell = parsed(site.read(f"{start}search.html"))
        assert shell.xpath("//meta[@name='robots']/@content") == ["noindex"]
        assert f'action="{"" if not start else "../en/"}search"' in site.read(f"{start}index.html")
        assert shell.xpath("//nav//a[@aria-current]/@href") == ["search" if not start else "../en/search"]
    site.facts["site"]["search"] = False
    site.publish()
    found = [
        path for path in site.root.rglob("*.html") if "search" in path.name or 'search"' in path.read_text("utf-8")
    ]
    assert found == []


def test_links_are_relative_and_lead_somewhere(site: SiteDesk) -> None:
    dynamic = {"search", "en/search", "subscribe", "en/subscribe", "say", "en/say"}
    site.release({"990101": Level.RED})
    site.publish(checkpoint={"sequence": 1})
    for path, page in pages(site).items():
        tree = parsed(page)
        for address in tree.xpath("//a/@href | //link[not(@rel='canonical')]/@href | //form/@action"):
            if address.startswith(("#", "tel:")):
                continue
            assert not address.startswith(("/", "http")), (path, address)
            aim = ((site.root / path).parent / address).resolve()
            if str(aim.relative_to(site.root)) not in dynamic:
                assert aim.is_file(), (path, address)


def test_synthetic_and_uncalibrated_are_labelled_on_every_page_and_picture(site: SiteDesk) -> None:
    site.facts["installation"]["synthetic"] = True
    site.release({"990101": Level.RED}, synthetic=True, calibrated=False)
    site.publish(synthetic=True)
    for path, page in pages(site).items():
        label = "SYNTHETIC DEMO RAINFALL" if path.startswith("en/") else "合成演示降雨（非真实预报）"
        assert label in page, path
        assert ("Uncalibrated" if path.startswith("en/") else "未经本地率定") in page, path
    assert "合成演示降雨（非真实预报）" in site.read("map.svg")
    assert json.loads(site.read("current.json"))["synthetic"] is True
    assert "合成演示降雨" in site.read("feeds/warnings.rss")


def test_an_exercise_is_nowhere_in_the_public_tree_and_whole_in_its_own(site: SiteDesk) -> None:
    made = site.release({"990101": Level.RED}, series=Series.EXERCISE)
    site.publish()
    assert made.slug.startswith("ex-")
    public = {path.relative_to(site.root) for path in site.root.rglob("*") if path.is_file()}
    assert not [path for path in public if made.slug in str(path)]
    assert not [path for path in public if made.slug in (site.root / path).read_text("utf-8", "ignore")]
    assert "当前无生效预警" in site.read("index.html")
    assert json.loads(site.read("current.json"))["active"] == []
    own = site.data_dir / "exercise" / "public"
    page = (own / "w" / made.slug / "index.html").read_text("utf-8")
    assert "exband" in page
    assert parsed(page).find(".//h1").text_content().startswith("【演练】")
    state = json.loads((own / "current.json").read_bytes())
    assert (state["exercise"], len(state["active"])) == (True, 1)
    areas = json.loads((own / "current.geojson").read_bytes())
    assert (areas["exercise"], len(areas["features"])) == (True, 1)
    assert "exercise" not in json.loads(site.read("current.geojson"))
    for path in own.rglob("*.html"):
        said = path.read_text("utf-8")
        assert "exband" in said, path
        assert "noindex" in said, path
    for feed in (own / "feeds").iterdir():
        assert "【演练】" in feed.read_text("utf-8"), feed


def test_overdue_update_is_owned_up_to(site: SiteDesk) -> None:
    site.release({"990101": Level.RED}, next_update=datetime(2026, 7, 22, 13, tzinfo=UTC))
    site.now += timedelta(hours=2)
    site.publish()
    assert "没有按时做出" in site.read("index.html")
    assert "不会因为缺资料而降低" in site.read("index.html")


def test_slots_are_shown_as_text_never_as_markup(site: SiteDesk) -> None:
    nasty = '<script>alert(1)</script>&"'
    site.release({"990101": Level.RED}, slots={"action.red.zh": nasty, "action.red.en": nasty})
    site.publish()
    for path, page in pages(site).items():
        assert "<script>" not in page, path
        assert "alert(1)" not in str(parsed(page).xpath("//script/text() | //@*")).replace(nasty, ""), path


def test_names_from_area_files_are_shown_as_text(tmp_path: Path, site: SiteDesk) -> None:
    site.areas = {**site.areas, "9": Area("9", AreaKind.COUNTY, "<b>甲&乙", "<i>A & B", "990000")}
    site.release({"9": Level.YELLOW})
    site.publish()
    assert "<b>甲" not in site.read("areas/9/index.html")
    assert "&lt;b&gt;甲&amp;乙" in site.read("areas/9/index.html")
