"""Templates are compiled once a process, and never one for another."""

from __future__ import annotations

from pathlib import Path

from geowarn.templating import JinjaTemplates


def own(folder: Path, text: str) -> JinjaTemplates:
    (folder / "notice").mkdir(parents=True, exist_ok=True)
    (folder / "notice" / "x.zh.txt.j2").write_text(text, "utf-8")
    return JinjaTemplates(folder)


def test_every_installation_has_its_own_words(tmp_path: Path) -> None:
    first, second = own(tmp_path / "a", "甲{{ n }}"), own(tmp_path / "b", "乙{{ n }}")
    assert [templates.render("notice/x.zh.txt.j2", n=1) for templates in (first, second, first)] == [
        "甲1",
        "乙1",
        "甲1",
    ]


def test_changed_words_are_seen_by_whoever_opens_the_installation_again(tmp_path: Path) -> None:
    assert own(tmp_path, "甲").render("notice/x.zh.txt.j2") == "甲"
    assert own(tmp_path, "乙").render("notice/x.zh.txt.j2") == "乙"


def test_markup_is_escaped_by_the_kind_of_file_though_the_text_is_the_same(tmp_path: Path) -> None:
    for name in ("x.html.j2", "x.txt.j2"):
        (tmp_path / name).write_text("{{ said }}", "utf-8")
    templates = JinjaTemplates(tmp_path)
    assert [templates.render(name, said="<b>") for name in ("x.html.j2", "x.txt.j2")] == ["&lt;b&gt;", "<b>"]
