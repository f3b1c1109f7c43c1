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
from geowarn.cli import (
    answers,
    areas,
    channels,
    clock,
    contacts,
    drill,
    forecast,
    incidents,
    installation,
    issuers,
    ledger,
    partners,
    people,
    recipients,
    review,
    roster,
    roster_acts,
    rules,
    run,
    score,
    search,
    site,
    subscribers,
    voices,
    warning_acts,
    warnings,
)
from geowarn.domain.errors import Collided, Refused
from geowarn.log import configure

app = typer.Typer(
    name="geowarn",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
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


for part in (run, drill, installation, forecast, ledger, score):
    part.register(app)
app.add_typer(warnings.app, name="warnings")
warning_acts.register(warnings.app)
review.register(warnings.app)
clock.register(warnings.app)
app.add_typer(clock.tasks, name="tasks")
app.add_typer(incidents.app, name="incidents")
app.add_typer(voices.app, name="voices")
app.add_typer(answers.app, name="answers")
app.add_typer(areas.app, name="areas")
app.add_typer(recipients.app, name="recipients")
app.add_typer(contacts.app, name="contacts")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(people.users, name="users")
app.add_typer(roster.app, name="roster")
roster_acts.register(roster.app)
app.add_typer(channels.app, name="channels")
app.add_typer(issuers.app, name="issuers")
app.add_typer(partners.app, name="partners")
app.add_typer(rules.app, name="rules")
app.add_typer(search.app, name="search")
app.add_typer(site.app, name="site")
app.add_typer(installation.db, name="db")
app.add_typer(installation.config, name="config")
app.add_typer(ledger.app, name="ledger")


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
