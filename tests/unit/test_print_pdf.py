"""The sheet of A4 as PDF: real text and its language, the same bytes every time, and never in the way of a warning."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typst
from structlog.testing import capture_logs
from tests.unit.site_desk import SiteDesk
from tests.unit.test_tree_kept import everything, written_anew

from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Series
from geowarn.scheduler import publish_all
from geowarn_channels import print_lines, print_sheet, site_pages, site_tree
from geowarn_channels.picture import Undrawn
from geowarn_channels.print_lines import width_of

LIVE = {"zh": "w/2026-001/index.html", "en": "en/w/2026-001/index.html"}
SHEETS = {"zh": "map-a4.pdf", "en": "en/map-a4.pdf"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteDesk:
    for drawing in (print_sheet, site_tree):  # not what this is about
        monkeypatch.setattr(drawing, "picture", lambda svg, dots=0: b"\x89PNG" + bytes(60))
    found = SiteDesk(tmp_path)
    found.facts["site"]["print_map"] = True
    return found


def inside(body: bytes) -> bytes:
    """The file with its streams unpacked: structure, metadata, and what tells characters from glyphs."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", body, re.DOTALL)
    return b"\n".join([body, *(_unpacked(one) for one in packed)])


def _unpacked(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream)
    except zlib.error:
        return b""


def characters(body: bytes) -> set[str]:
    """Every character that can be marked and copied, out of the tables from glyphs to Unicode."""
    pairs = re.findall(rb"<[0-9a-fA-F]{4}> <([0-9a-fA-F]{4,})>", inside(body))
    return {bytes.fromhex(code.decode()).decode("utf-16-be") for code in pairs}


def links(site: SiteDesk, page: str) -> list[str]:
    return re.findall(r'<a href="([^"]*map-a4\.pdf)">', site.read(page))


def test_one_page_of_a4_with_text_title_language_and_date(site: SiteDesk) -> None:
    site.release({"990101": Level.RED, "990104": Level.YELLOW})
    site.publish(synthetic=True)
    for language, path in SHEETS.items():
        body = (site.root / path).read_bytes()
        found = inside(body)
        assert body.startswith(b"%PDF-1.7")
        assert b"/Type/Pages/Count 1/" in found
        assert b"/MediaBox[0 0 595.2756 841.8898]" in found
        assert f"/Lang({language})".encode() in found
        assert b"pdfuaid:part" in found
        assert b"/CreationDate(D:20260722120000Z)" in found  # the full hour, no minute of ours
        title = {
            "zh": "合成演示降雨（非真实预报） 烟台市地质灾害气象风险预警",
            "en": "FORECAST Yantai: geohazard warnings",
        }
        assert f"{title[language]}</rdf:li>" in found.decode("utf-8", "replace")
        assert re.findall(rb"/S/(H\d|Figure)", found) == [b"H1", b"H2", b"H2", b"Figure"]
        said = "东山市红色风险很高有效至资料截至" if language == "zh" else "DongshanCityred,veryhighrisk"
        assert set(said) <= characters(body)


def test_pages_lead_to_it_with_its_kind_and_size_and_from_disk(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    for language, page in LIVE.items():
        (link,) = links(site, page)
        size = ((site.root / page).parent / link).resolve().stat().st_size
        assert ((site.root / page).parent / link).resolve() == (site.root / SHEETS[language]).resolve()
        kind = re.search(
            r'pdf"><span>[^<]*A4[^<]*</span><small class="nb">PDF(?:，|, )(\d+) KB</small></a>', site.read(page)
        )
        assert kind is not None
        assert size <= int(kind[1]) * 1000 < size + 10_000
        assert len(links(site, f"{'' if language == 'zh' else 'en/'}feeds/index.html")) == 1
    site.now += timedelta(hours=1)
    site.release({"990101": Level.YELLOW}, Act.UPDATE)
    site.publish()
    assert not links(site, LIVE["zh"])  # of a warning that is no longer in force nobody prints the sheet of now
    assert links(site, "w/2026-002/index.html")


def test_a_page_waits_for_a_sheet_that_shows_the_same_warnings(site: SiteDesk, tmp_path: Path) -> None:
    site.publish()
    site.release({"990101": Level.RED})
    rest = site.channel._write(site.state(), exercise=False)
    assert not links(site, LIVE["zh"])  # the sheet in the tree still says that nothing is in force
    assert rest is not None
    assert rest.write()
    assert links(site, LIVE["zh"])
    before = (site.root / SHEETS["zh"]).read_bytes()
    site.now += timedelta(minutes=70)
    rest = site.channel._write(site.state(), exercise=False)
    assert links(site, LIVE["zh"])  # an hour old, and as true
    assert rest is not None
    assert rest.write()
    assert (site.root / SHEETS["zh"]).read_bytes() != before
    kept, anew = everything(site.root), written_anew(site, tmp_path / "anew")
    assert {path: kept.get(path) for path in anew} == anew
    assert set(SHEETS.values()) <= set(anew)


def test_an_exercise_says_so_and_stays_in_its_tree(site: SiteDesk) -> None:
    site.release({"990101": Level.RED}, series=Series.EXERCISE)
    site.publish()
    own = (site.data_dir / "exercise" / "public" / SHEETS["zh"]).read_bytes()
    assert "【演练】 烟台市" in inside(own).decode("utf-8", "replace")
    assert set("【演练】") <= characters(own)
    assert "红" not in characters((site.root / SHEETS["zh"]).read_bytes())


def test_where_it_is_not_installed_nothing_leads_to_it(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    monkeypatch.setattr(site_pages, "drawn_by", lambda: "")
    assert site.channel.publish(site.state()) == []
    assert not any((site.root / path).exists() for path in SHEETS.values())
    assert not any(links(site, page) for page in (*LIVE.values(), "feeds/index.html", "en/feeds/index.html"))
    assert (site.root / "en" / "map-a4.svg").exists()


class _Panic(BaseException):
    """What a panic of the library comes as."""


@pytest.fixture(params=[typst.TypstError, _Panic])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    class Compiler:
        def __init__(self, **_: Any) -> None: ...

        def compile(self, **_: Any) -> bytes:
            fault: BaseException = request.param("no\n ink")
            raise fault

    with monkeypatch.context() as patched:
        patched.setattr(typst, "Compiler", Compiler)
        yield


@pytest.mark.usefixtures("broken")
def test_a_fault_costs_the_link_and_nothing_else_and_is_told(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    system: Any = SimpleNamespace(site_state=site.state, channels={"website": site.channel, "sms": object()})
    with capture_logs() as told:
        publish_all(system)
    assert [(one["channel"], one["reason"]) for one in told] == [
        ("website", "map-a4.pdf: no ink"), ("website", "en/map-a4.pdf: no ink"),
    ]  # fmt: skip
    assert "东山市" in site.read(LIVE["zh"])
    assert "map-a4.png" in site.read(LIVE["zh"])
    assert not any(links(site, page) for page in (*LIVE.values(), "feeds/index.html"))


def test_what_cannot_be_drawn_any_more_is_taken_away(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    site.release({"990101": Level.RED})
    site.publish()

    def refuse(*_: object) -> bytes:
        raise Undrawn("no ink")

    monkeypatch.setattr(print_sheet, "pdf", refuse)
    site.now += timedelta(hours=1)
    assert site.channel.publish(site.state()) == ["map-a4.pdf: no ink", "en/map-a4.pdf: no ink"]
    assert not links(site, LIVE["zh"])
    assert not (site.root / SHEETS["zh"]).exists()


def test_a_character_that_the_font_lacks_is_named(site: SiteDesk) -> None:
    site.facts["issuer"]["joint_zh"] = "\U00020000市气象台"
    site.release({"990101": Level.RED})
    (fault,) = site.channel.publish(site.state())
    assert fault.startswith("map-a4.pdf: ")
    assert "\U00020000" in fault
    assert links(site, LIVE["en"])


def test_lines_are_broken_by_the_widths_of_the_font_we_carry() -> None:
    source = """#set text(font: "Noto Sans CJK SC", weight: 700, size: 1000pt, top-edge: "baseline")
#context for n in range(33, 127) [#metadata(measure(text(str.from-unicode(n))).width.pt())<w>]"""
    folder = Path(print_lines.__file__).parent / "fonts"
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    found = typst.Compiler(source.encode(), font_paths=fonts).query("<w>", field="value")
    assert [round(width) for width in json.loads(found)] == [round(width_of(chr(n), 1000)) for n in range(33, 127)]
