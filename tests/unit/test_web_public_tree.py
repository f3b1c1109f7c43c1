"""Serving files: nothing outside the tree, exact validators, the right types."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from geowarn.web.public_tree import TREE_POLICY, PublicTree, resolve


@pytest.fixture
def tree(tmp_path: Path) -> PublicTree:
    root = tmp_path / "public"
    for name, text in {
        "index.html": "<!doctype html>" + "x" * 2000,
        "current.json": "{}",
        "en/index.html": "english",
        "feeds/cap.atom": "<feed/>",
        "cap/geowarn-2026-012-red.xml": "<alert/>",
        "map.png": "png",
        "archive/2026/1/warnings.csv": "warning",
        "ledger/checkpoint": "{}",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "secret").write_text("no")
    (root / "way-out").symlink_to(tmp_path / "secret")
    return PublicTree(root)


def request(method: str = "GET", **headers: str) -> Request:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": method, "headers": pairs, "path": "/", "query_string": b""})


def answer(tree: PublicTree, path: str, method: str = "GET", **headers: str) -> Response:
    found = tree.answer(request(method, **headers), path)
    assert isinstance(found, Response)
    return found


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("en/", "text/html; charset=utf-8"),
        ("feeds/cap.atom", "application/atom+xml; charset=utf-8"),
        ("cap/geowarn-2026-012-red.xml", "application/cap+xml; charset=utf-8"),
        ("map.png", "image/png"),
        ("archive/2026/1/warnings.csv", "text/csv; charset=utf-8"),
        ("ledger/checkpoint", "application/json; charset=utf-8"),
    ],
)
def test_types(tree: PublicTree, path: str, media_type: str) -> None:
    found = answer(tree, path).headers
    assert found["content-type"] == media_type
    # A page may run the script beside it in the tree; a message or a picture opened by itself may run nothing.
    assert found.get("content-security-policy", "") == (TREE_POLICY if "html" in media_type else "")
    assert TREE_POLICY.count("script-src 'self'") == 1


@pytest.mark.parametrize(
    "path", ["../secret", "en/../../secret", "way-out", ".hidden", "a\\b", "//en", "en//", "\0", "x" * 5000, "nothing"]
)
def test_nothing_outside_is_served(tree: PublicTree, path: str) -> None:
    assert tree.answer(request(), path) == 404


@given(st.text(max_size=40) | st.lists(st.sampled_from(["..", ".", "", "en", "~", "%2e"]), max_size=5).map("/".join))
def test_resolve_never_leaves_the_root(wanted: str) -> None:
    root = Path("/srv/public")
    found = resolve(root, wanted)
    assert found is None or found.resolve().is_relative_to(root)


def test_a_folder_gets_its_slash_and_never_another_host(tree: PublicTree) -> None:
    assert answer(tree, "en").headers["location"] == "/en/"


def test_validators(tree: PublicTree) -> None:
    first = answer(tree, "feeds/cap.atom")
    tag, modified = first.headers["etag"], first.headers["last-modified"]
    assert answer(tree, "feeds/cap.atom", if_none_match=f'"other", W/{tag}').status_code == 304
    assert answer(tree, "feeds/cap.atom", if_none_match='"other"', if_modified_since=modified).status_code == 200
    assert answer(tree, "feeds/cap.atom", if_modified_since=modified).status_code == 304
    assert answer(tree, "feeds/cap.atom", if_modified_since="nonsense").status_code == 200
    (tree.root / "feeds" / "cap.atom").write_text("<feed>!</feed>")
    assert answer(tree, "feeds/cap.atom", if_none_match=tag).status_code == 200


def test_head_has_the_length_and_no_body(tree: PublicTree) -> None:
    whole, head = answer(tree, ""), answer(tree, "", "HEAD")
    assert head.headers["content-length"] == str(len(bytes(whole.body)))
    assert head.body == b""


def test_compressed_bytes_have_a_tag_of_their_own(tree: PublicTree) -> None:
    plain, packed = answer(tree, ""), answer(tree, "", accept_encoding="br, gzip;q=0.5")
    assert gzip.decompress(bytes(packed.body)) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in answer(tree, "", accept_encoding="gzip;q=0").headers


def test_caching(tree: PublicTree) -> None:
    assert "immutable" in answer(tree, "cap/geowarn-2026-012-red.xml").headers["cache-control"]
    assert "must-revalidate" in answer(tree, "feeds/cap.atom").headers["cache-control"]


def test_a_broken_tree_is_never_an_empty_answer(tree: PublicTree) -> None:
    (tree.root / "feeds" / "cap.atom").unlink()
    assert tree.answer(request(), "feeds/cap.atom") == 503
    (tree.root / "current.json").unlink()
    assert tree.answer(request(), "") == 503
    assert tree.answer(request(), "feeds/warnings.rss") == 503
