"""The transport below the twilio SDK: one urllib3 pool with time-outs, and faults told apart by what was sent.

The SDK's own transport has no time-out, a pool of a few connections whatever the number of threads, and takes
proxies from the environment. A proxy that resends a POST would send a warning twice.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, SSLError

from geowarn.domain.errors import OutcomeUnknown, SendFailure, TemporaryFailure

# Raised while connecting: not one byte of the request had left.
_BEFORE = (NewConnectionError, NameResolutionError, ConnectTimeoutError)


class PooledHttpClient(HttpClient):  # type: ignore[misc]
    """`twilio.http.HttpClient` over urllib3; safe to share between threads, never retries, never redirects."""

    def __init__(self, connections: int, timeout_seconds: float) -> None:
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            block=False,
            retries=False,
            timeout=urllib3.Timeout(connect=timeout_seconds, read=timeout_seconds),
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.clear()

    def request(  # the SDK's own signature
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request; raises TemporaryFailure before, OutcomeUnknown after anything was sent."""
        address = f"{url}?{urlencode(params, doseq=True)}" if params else url
        fields = dict(headers or {})
        if auth:
            fields |= urllib3.make_headers(basic_auth=":".join(auth))
        body = None
        if data:
            body = urlencode(data, doseq=True).encode()
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = self._pool.request(method.upper(), address, body=body, headers=fields, redirect=False)
        except HTTPError as error:
            raise _transport_fault(error) from None
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)


def _transport_fault(error: HTTPError) -> SendFailure:
    if isinstance(error, _BEFORE):
        return TemporaryFailure("sms.no-connection", code=type(error).__name__)
    if isinstance(error, SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError):
        return TemporaryFailure("sms.certificate", code="certificate", alarm=True)
    return OutcomeUnknown("sms.no-answer", code=type(error).__name__)
