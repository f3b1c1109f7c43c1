"""Makes a new installation: folder, configuration, keys, database, areas, first administrator."""

from __future__ import annotations

import secrets
from pathlib import Path

from geowarn.bootstrap import SystemClock, database_url
from geowarn.cap_key import make_cap_key
from geowarn.domain.errors import Refused
from geowarn.pipeline.areas import import_areas
from geowarn.pipeline.people import add_user
from geowarn.resources import config_dir
from geowarn.security import create_keys, hash_password
from geowarn.settings import Settings, load_settings
from geowarn.store import upgrade as migrations
from geowarn.store.unit_of_work import SqlStore

_NOTE = """# What differs from the defaults shipped with the program. Secrets belong into the environment.
# [site]
# public_url = "https://warnings.example.org"

[cap]
signature = "required"
"""


def create_installation(folder: Path, admin: str, actor: str, note: str = _NOTE) -> str:
    """Make an installation in an empty or new folder; returns the administrator's first password.

    Raises Refused when the folder already holds something.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Refused("config.folder-not-empty", folder=str(folder))
    for name in ("config", "templates", "raw", "public", "cache", "inbox"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    create_keys(folder / "keys")
    (folder / "geowarn.toml").write_text(note, encoding="utf-8")
    settings = load_settings(folder)
    make_cap_key(folder / "keys", settings.cap.sender, SystemClock().now())
    url = database_url(settings, folder)
    migrations.upgrade(url)
    store = SqlStore(url)
    import_default_areas(store, settings, actor)
    password = secrets.token_urlsafe(12)
    add_user(store, SystemClock(), hash_password, admin, "管理员", "Administrator", ["administrator"], password, actor)
    store.dispose()
    return password


def import_default_areas(store: SqlStore, settings: Settings, actor: str) -> None:
    """Import the area set that `[installation] areas` names."""
    folder = config_dir() / "areas" / settings.installation.areas
    if settings.installation.areas and not folder.is_dir():
        raise Refused("config.no-area-set", name=settings.installation.areas)
    files = sorted([*folder.glob("areas*.csv"), *folder.glob("areas*.geojson")])
    import_areas(store, SystemClock(), files, actor)
