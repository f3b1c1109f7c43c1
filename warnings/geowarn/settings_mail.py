"""How mail leaves: the server of the office, its credentials, the sender."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from geowarn.settings_site import Section

Security = Annotated[str, Field(pattern=r"^(starttls|tls|none)$")]
MailAddress = Annotated[str, Field(pattern=r"^([^\s@<>\",;:\\()\[\]]+@[A-Za-z0-9.-]+)?$")]


class Mail(Section):
    """The SMTP server that takes the mail; the password belongs into the environment."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]*$")] = ""
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Security = "starttls"
    ca_file: str = ""
    user: str = ""
    password: str = ""
    sender: MailAddress = ""
    reply_to: MailAddress = ""
    bounces_to: MailAddress = ""
    messages_per_second: Annotated[float, Field(gt=0)] = 10.0
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 30.0
    workers: Annotated[int, Field(ge=1, le=64)] = 4
    confirm_hours: Annotated[int, Field(ge=1, le=168)] = 48
