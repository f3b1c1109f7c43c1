"""A page of the public tree with an answer of the program in it: between two marks, in the language of its address."""

from __future__ import annotations

from markupsafe import escape

from geowarn.web.public_tree import PublicTree

LANGUAGES = ("zh", "en")
HERE = {"zh": "", "en": "../en/"}  # the way from such a page to the pages of its language
_OPEN, _CLOSE = "<!--answer-->", "<!--/answer-->"


def language_of_path(path: str) -> str:
    """English below `/en/`, else Chinese."""
    return "en" if path.startswith("/en/") else "zh"


def shell_of(tree: PublicTree, name: str, language: str) -> str | int:
    """The page of the tree without an answer, or the status of why there is none."""
    if not tree.complete():
        return 503
    try:
        return tree.shelf.get(tree.root / f"{'' if language == 'zh' else 'en/'}{name}.html").body.decode()
    except OSError:
        return 404  # the installation has no such page


def filled(shell: str, name: str, language: str, answer: str, other: str) -> str:
    """The page with the answer; its way to the other language leads to `other`, an address beside this one."""
    before, _, rest = shell.partition(_OPEN)
    after = rest.partition(_CLOSE)[2]
    plain = f"en/{name}.html" if language == "zh" else f"../{name}.html"
    way = f"en/{other}" if language == "zh" else f"../{other}"
    return before.replace(f'href="{plain}"', f'href="{escape(way)}"') + answer + after
