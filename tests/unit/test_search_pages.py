"""Pages of fixed wording: the prose of their main part is found, lists, telephones and menus are not."""

from __future__ import annotations

from pathlib import Path

from geowarn.pipeline.search_pages import page_documents

PAGE = """<!doctype html><html><head><title>T</title></head><body><nav>{menu}</nav><main id="main" class="page">
<h1>{title}<br></h1><p class="now">{hour}<p>{first} &amp; <b>{bold}</b><svg><path d="M0 0"/><text>x</text></svg></p>
<ul><li>{item}<li>second</ul><div class="rows rows-2"><a href="x"><span>row</span></a></div>
<table><tr><td>cell</td></tr></table></main><footer>{foot}</footer></body></html>"""


def write(root: Path, place: str, title: str) -> None:
    words = {"menu": "menu", "hour": "hour", "first": "one", "bold": "two", "item": "three", "foot": "foot"}
    (root / place).mkdir(parents=True)
    (root / place / "index.html").write_text(PAGE.format(title=title, **words), "utf-8")


def test_prose_is_read_and_everything_else_left_out(tmp_path: Path) -> None:
    write(tmp_path, "about", "级别含义")
    write(tmp_path, "en/about", "Levels")
    write(tmp_path, "areas", "我的乡镇")
    write(tmp_path, "en/areas", "My township")
    write(tmp_path, "only", "只有中文")
    (found,) = page_documents(tmp_path)
    assert (found.key, found.place, found.title.zh, found.title.en) == ("page/about/", "about/", "级别含义", "Levels")
    assert found.text.zh.split() == ["one", "&", "two", "three", "second"]


def test_a_tree_that_is_not_there_has_no_pages(tmp_path: Path) -> None:
    assert list(page_documents(tmp_path / "none")) == []
