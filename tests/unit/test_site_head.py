"""What a page says to machines before its body: the tags of the settings, the card of a shared link, the catalogue."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from markupsafe import Markup
from tests.unit.site_desk import SiteDesk
from tests.unit.test_tree_kept import everything, written_anew

from geowarn.domain.area import AreaKind, by_code
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Series
from geowarn.pipeline.areas import read_areas
from geowarn.resources import config_dir
from geowarn.settings import load_settings
from geowarn_channels.page_head import head_tags, labelled_title


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    found = SiteDesk(tmp_path)
    found.facts["site"]["public_url"] = "https://warnings.example.org/dz"
    return found


def tags(page: str) -> dict[str, str]:
    """Every `meta` tag by name or property."""
    found: Any = html.fromstring(page).xpath("//head/meta[@name or @property]")
    names = [str(one.get("name") or one.get("property")) for one in found]
    assert len({name.lower() for name in names}) == len(names)
    return {name: str(one.get("content")) for name, one in zip(names, found, strict=True)}


def test_articles_bear_the_tags_a_government_site_is_asked_for(site: SiteDesk) -> None:
    site.facts["meta"]["every"]["SiteIDCode"] = "3706000001"
    site.now += timedelta(minutes=7)
    made = site.release({"990101": Level.RED, "990102": Level.YELLOW})
    site.publish()
    found = tags(site.read(f"w/{made.slug}/index.html"))
    assert found["SiteName"] == "烟台地质灾害预警"
    assert found["SiteDomain"] == "warnings.example.org"
    assert found["SiteIDCode"] == "3706000001"
    assert found["ArticleTitle"] == "烟台市发布地质灾害气象风险红色预警"
    assert found["PubDate"] == "2026-07-22 20:07"
    assert found["ContentSource"] == site.facts["issuer"]["name_zh"]
    assert found["Keywords"] == "地质灾害气象风险预警,红色,黄色,东山市,西河区"
    assert found["Url"] == f"https://warnings.example.org/dz/w/{made.slug}/"
    english = tags(site.read(f"en/w/{made.slug}/index.html"))
    assert english["ContentSource"] == site.facts["issuer"]["name_en"]
    assert "Dongshan City" in english["Keywords"]


def test_columns_and_home_bear_theirs_and_nothing_of_articles(site: SiteDesk) -> None:
    site.publish()
    home, archive = tags(site.read("index.html")), tags(site.read("archive/index.html"))
    assert {name for name in home if name[0].isupper()} == {"SiteName", "SiteDomain"}
    assert archive["ColumnName"] == archive["ColumnType"] == "历史预警"
    assert archive["ColumnDescription"].startswith("每一次预警")
    assert not {"ArticleTitle", "PubDate"} & archive.keys()
    assert tags(site.read("en/areas/990101/index.html"))["ColumnDescription"].startswith("Is Dongshan City")


def test_the_map_of_tags_is_the_installations_own(site: SiteDesk) -> None:
    site.facts["meta"]["column"] = {"DC.subject": "{column}, {name}", "ColumnType": ""}
    site.publish()
    found = tags(site.read("feeds/index.html"))
    assert found["DC.subject"] == "订阅, 烟台地质灾害预警"
    assert "ColumnType" not in found


def test_tags_are_text_and_never_markup() -> None:
    facts: dict[str, dict[str, Any]] = {
        "meta": {"every": {"SiteName": '"{name}"<'}, "column": {"ColumnName": "{title}"}, "article": {}},
        "installation": {"name_zh": "<甲>&", "name_en": ""},
        "issuer": {"name_zh": "", "joint_zh": ""},
        "site": {"public_url": "http://127.0.0.1:1"},
    }
    found = head_tags(
        facts, "areas", "zh", {"title": Markup("a &amp; b"), "description": "", "column": "", "event": ""}
    )
    assert found == [("SiteName", "&#34;&lt;甲&gt;&amp;&#34;&lt;"), ("ColumnName", "a &amp; b")]


def card(page: str) -> dict[str, str]:
    return {name: said for name, said in tags(page).items() if name.startswith(("og:", "twitter:"))}


def test_a_shared_link_shows_the_map_while_it_is_true(site: SiteDesk) -> None:
    first = site.release({"990101": Level.YELLOW})
    site.now += timedelta(hours=1)
    second = site.release({"990101": Level.RED}, Act.UPDATE)
    site.publish()
    for path in ("index.html", "en/index.html", "areas/990102/index.html", f"w/{second.slug}/index.html"):
        found = card(site.read(path))
        assert found["og:image"] == "https://warnings.example.org/dz/map.png", path
        assert found["twitter:card"] == "summary_large_image"
        assert found["og:image:alt"]
    drawn = (site.root / "map.png").read_bytes()
    size = (int.from_bytes(drawn[16:20]), int.from_bytes(drawn[20:24]))
    told = card(site.read("index.html"))
    assert (int(told["og:image:width"]), int(told["og:image:height"])) == size
    replaced = card(site.read(f"w/{first.slug}/index.html"))
    assert "og:image" not in replaced
    assert replaced["twitter:card"] == "summary"
    assert replaced["og:url"].endswith(f"/dz/w/{first.slug}/")
    assert replaced["og:type"] == "article"


def test_a_shared_title_bears_the_labels_of_its_page(site: SiteDesk) -> None:
    site.facts["installation"]["synthetic"] = True
    site.release({"990101": Level.RED}, synthetic=True)
    site.release({"990101": Level.RED}, synthetic=True, series=Series.EXERCISE)
    site.publish(synthetic=True)
    for root in (site.root, site.data_dir / "exercise" / "public"):
        for path in root.rglob("*.html"):
            found = tags(path.read_text("utf-8"))
            english = path.relative_to(root).parts[0] == "en"
            label = "SYNTHETIC DEMO RAINFALL" if english else "合成演示降雨（非真实预报）"
            for name in ("og:title", "ArticleTitle"):
                assert label in found.get(name, label), (path, name)
                if root != site.root:
                    start = "[EXERCISE] " if english else "【演练】"
                    assert found.get(name, start).startswith(start), (path, name)
                    assert found.get(name, start).count(start.strip()) == 1


def test_labels_come_once_and_in_order() -> None:
    assert labelled_title(Markup("【演练】甲"), "zh", "假", True) == "【演练】假。甲"
    assert labelled_title(Markup("[EXERCISE] a"), "en", "made up", True) == "[EXERCISE] made up. a"
    assert labelled_title(Markup("&lt;a"), "en", "", False) == "&lt;a"


def catalogue(page: str) -> dict[str, str]:
    tree: Any = html.fromstring(page)
    listed = tree.find_class("kv")[0]
    return dict(zip(listed.xpath(".//dt/text()"), listed.xpath(".//dd/text()"), strict=True))


def test_the_catalogue_is_frozen_with_the_bulletin(site: SiteDesk) -> None:
    made = site.release({"990101": Level.RED})
    own = {"name_zh": "索引号", "name_en": "Index", "value_zh": "1137/{slug}（{level}：{areas}）", "value_en": ""}
    site.facts["catalogue"] = {"fields": (own,)}
    site.now += timedelta(hours=1)
    later = site.release({"990101": Level.RED}, Act.UPDATE)
    site.publish()
    before = catalogue(site.read(f"w/{made.slug}/index.html"))
    assert list(before) == ["索引号", "文号", "发布机构", "联合发布", "成文日期", "公开方式", "主题词", "时段"]
    assert before["文号"] == made.number
    assert catalogue(site.read(f"w/{later.slug}/index.html")) == {"索引号": f"1137/{later.slug}（红色：东山市）"}
    assert catalogue(site.read(f"en/w/{later.slug}/index.html")) == {}


def test_press_contact_stands_on_every_page_once_it_is_given(site: SiteDesk) -> None:
    site.publish()
    assert "媒体联系" not in site.read("index.html")
    site.facts["press"] = {
        "name_zh": "宣传科",
        "name_en": "Press office",
        "phone": "(0999) 000-0001",
        "email": "p@x.cn",
    }
    site.publish()
    for path in ("index.html", "en/archive/index.html", "areas/990102001/index.html"):
        page = site.read(path)
        assert 'href="tel:09990000001"' in page, path
        assert 'href="mailto:p@x.cn"' in page, path
        assert ("Press office" if path.startswith("en/") else "宣传科") in page, path


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("GEOWARN_META__EVERY", '{"SiteName": "{nam}"}', "meta.every.SiteName"),
        ("GEOWARN_META__EVERY", '{"Site Name": "x"}', "meta.every.Site Name.[key]"),
        ("GEOWARN_ARCHIVE__LICENCE_URL", "javascript:alert(1)", "archive.licence_url"),
        ("GEOWARN_PRESS__EMAIL", "a b", "press.email"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, key: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Refused) as refusal:
        load_settings(None)
    assert refusal.value.facts["key"] == key


def test_a_warning_elsewhere_leaves_the_head_of_a_page_alone(site: SiteDesk, tmp_path: Path) -> None:
    site.release({"990101": Level.YELLOW}, calibrated=True)
    site.publish()
    before = site.read("w/2026-001/index.html").split("</head>")[0]
    site.release({"990104": Level.RED}, warning="w-2", calibrated=True)
    site.publish()
    assert site.read("w/2026-001/index.html").split("</head>")[0] == before
    kept, anew = everything(site.root), written_anew(site, tmp_path / "anew")
    assert {path: kept.get(path) for path in anew} == anew


def test_the_first_page_of_the_shipped_city_is_light(tmp_path: Path) -> None:
    """HTML, styles and script together, its own map left out; and nothing else is asked for before it can be read."""
    folder = config_dir() / "areas" / "yantai"
    areas = by_code(read_areas([folder / "areas.csv", folder / "areas.geojson"]))
    site = SiteDesk(tmp_path, areas=areas)
    counties = [area.code for area in areas.values() if area.kind is AreaKind.COUNTY]
    site.release({code: (Level.RED, Level.ORANGE, Level.YELLOW)[at % 3] for at, code in enumerate(counties)})
    site.publish()
    for path in ("index.html", "en/index.html"):
        page = site.read(path)
        tree: Any = html.fromstring(page)
        for drawn in tree.xpath("//svg[@role='img']"):
            drawn.drop_tree()
        bare = html.tostring(tree, encoding="unicode")
        assert len(bare) < len(page)
        loaded = tree.xpath("//link[@rel='stylesheet']/@href | //script/@src")
        whole = len(bare.encode()) + sum(((site.root / path).parent / name).stat().st_size for name in loaded)
        assert whole <= 50_000, (path, whole)
        assert not tree.xpath("//script[not(@defer)] | //img | //iframe | //link[@rel='preload']"), path
        assert all(not name.startswith(("http", "/")) for name in loaded), path
