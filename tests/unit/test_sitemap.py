"""The map of the site names every page once in both languages; search engines stay out of what is not for them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
from lxml import etree
from tests.unit.site_desk import SiteDesk

from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Series
from geowarn_channels import sitemap

URL = "https://warnings.example.org/dz"
SPACE = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    found = SiteDesk(tmp_path)
    found.facts["site"]["public_url"] = URL
    return found


def addresses(site: SiteDesk, path: str = "sitemap.xml") -> list[str]:
    tree = etree.fromstring((site.root / path).read_bytes())
    return [str(loc.text) for loc in tree.iterfind(".//s:loc", SPACE)]


def pages(site: SiteDesk) -> set[str]:
    found = {path.relative_to(site.root).as_posix().removesuffix("index.html") for path in site.root.rglob("*.html")}
    return {f"{URL}/{path}" for path in found if not path.endswith(("search.html", "say.html"))}  # shells


def test_every_page_is_named_once_with_its_other_language(site: SiteDesk) -> None:
    first = site.release({"990101": Level.RED})
    site.now += timedelta(days=3)
    site.release({"990101": Level.RED}, Act.LIFT, reason="雨停")
    site.publish()
    named = addresses(site)
    assert len(named) == len(set(named))
    assert set(named) == pages(site)
    tree = etree.fromstring((site.root / "sitemap.xml").read_bytes())
    for one in tree.iterfind("s:url", SPACE):
        others = {str(link.get("hreflang")): str(link.get("href")) for link in one.iterfind("x:link", SPACE)}
        assert list(others) == ["zh-CN", "en", "x-default"]
        assert one.findtext("s:loc", namespaces=SPACE) in others.values()
        assert others["en"] == f"{URL}/en/{others['zh-CN'].removeprefix(f'{URL}/')}"
        assert others["x-default"] == others["zh-CN"]
        if f"/w/{first.slug}/" in others["en"]:
            assert one.findtext("s:lastmod", namespaces=SPACE) == "2026-07-25"  # lifted three days later


def test_beyond_its_bound_it_is_an_index_of_parts(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    site.release({"990101": Level.YELLOW})
    site.publish()
    whole = addresses(site)
    monkeypatch.setattr(sitemap, "MOST", 10)
    site.publish()
    named = addresses(site)
    assert named == [f"{URL}/sitemaps/{number}.xml" for number in range(1, -(-len(whole) // 10) + 1)]
    parts = [addresses(site, name.removeprefix(f"{URL}/")) for name in named]
    assert [len(part) for part in parts[:-1]] == [10] * (len(parts) - 1)
    assert [one for part in parts for one in part] == whole
    before = [(site.root / name.removeprefix(f"{URL}/")).stat().st_mtime_ns for name in named]
    site.now += timedelta(hours=2)
    site.release({"990102": Level.YELLOW}, warning="w-2")
    site.publish()
    after = [(site.root / name.removeprefix(f"{URL}/")).stat().st_mtime_ns for name in named]
    assert after[:-1] == before[:-1]  # what is new stands at the end
    monkeypatch.undo()
    site.publish()
    assert set(addresses(site)) == pages(site)
    assert not list((site.root / "sitemaps").iterdir())


def test_the_shipped_bound_is_no_greater_than_that_of_the_protocol() -> None:
    assert sitemap.MOST <= 50_000
    found = [sitemap.Place(f"w/{number}/") for number in range(sitemap.MOST // 2 + 1)]
    made = [page.path for page in sitemap.sitemap_pages(found, URL)]
    assert made == ["sitemaps/1.xml", "sitemaps/2.xml", "sitemap.xml"]


def test_a_release_does_not_wait_for_it_and_an_hour_does_not_touch_it(site: SiteDesk) -> None:
    site.publish()
    before = (site.root / "sitemap.xml").stat().st_mtime_ns
    site.now += timedelta(hours=1)
    site.publish()
    assert (site.root / "sitemap.xml").stat().st_mtime_ns == before
    made = site.release({"990101": Level.RED})
    rest = site.channel._write(site.state(), exercise=False)
    assert f"{URL}/w/{made.slug}/" not in addresses(site)
    assert rest is not None
    assert rest.write()
    assert f"{URL}/w/{made.slug}/" in addresses(site)


def may(root: Path, path: str) -> bool:
    reader = RobotFileParser()
    reader.parse((root / "robots.txt").read_text("utf-8").splitlines())
    return reader.can_fetch("Baiduspider", f"{URL}{path}")


def test_robots_read_pages_and_nothing_of_the_office(site: SiteDesk) -> None:
    site.publish()
    for path in ("/", "/en/w/2026-001/", "/archive/2026/1/warnings.csv", "/say", "/feeds/cap.atom"):
        assert may(site.root, path), path
    for path in ("/console/", "/search?q=a", "/api/v1/warnings", "/sign/x"):
        assert not may(site.root, path), path
    assert f"\nSitemap: {URL}/sitemap.xml\n" in site.read("robots.txt")


def test_made_up_rain_and_exercises_are_not_for_search_engines(site: SiteDesk) -> None:
    site.facts["exercise"]["site_url"] = "https://exercise.example.org"
    site.release({"990101": Level.RED}, series=Series.EXERCISE)
    site.publish(synthetic=True)
    own = site.data_dir / "exercise" / "public"
    assert not may(site.root, "/")
    assert "Disallow: /\n" in (own / "robots.txt").read_text("utf-8")
    assert not (own / "sitemap.xml").exists()
