"""The `geowarn` command called in this process: quicker than one of its own, and it ends the same way."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from unittest import mock

import structlog

from geowarn.cli import main


def called(
    *arguments: str, text: str | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """What a shell would see of it: status, standard output and error output."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    kept = structlog.get_config()
    with (
        mock.patch.object(sys, "argv", ["geowarn", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO(text or "")),
        mock.patch.dict(os.environ, environment or dict(os.environ), clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            structlog.configure(**kept)
    return subprocess.CompletedProcess(["geowarn", *arguments], status, out.getvalue(), err.getvalue())
