"""The `geowarn` command."""

from __future__ import annotations

import os
import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from geowarn.catalogue import explain, say, terminal_language
from geowarn.cli.commands import Commands
from geowarn.domain.errors import Collided, Refused
from geowarn.log import configure

app = typer.Typer(
    name="geowarn",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    cls=Commands,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"geowarn {version('geowarn')}")
        raise typer.Exit


@app.callback()
def start(
    _asked: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="版本")] = False,
) -> None:
    """From a rainfall forecast to a signed, delivered and provable geological-hazard warning.

    从降雨预报到签发、送达、可查证的地质灾害预警。
    """


def main() -> None:
    """Run the command; a refusal is one line on stderr and exit 1, never a traceback."""
    configure()
    language = terminal_language()
    try:
        app()
    except Refused as refusal:
        _end(explain(refusal, language))
    except Collided:
        _end(say("cli.collided", language))
    except KeyboardInterrupt:
        _end(say("cli.interrupted", language))
    except OSError as error:
        _end(say("cli.file-trouble", language, file=str(error.filename or ""), reason=error.strerror or str(error)))
    except SQLAlchemyError as error:
        _end(say("cli.database-trouble", language, reason=str(getattr(error, "orig", error)).splitlines()[0]))
    except Exception as error:
        if os.environ.get("GEOWARN_DEBUG"):
            traceback.print_exc()
        _end(say("cli.fault", language, kind=type(error).__name__))


def _end(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    raise SystemExit(1)
