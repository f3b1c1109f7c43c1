"""What the provider's codes mean for a message: a table, and the SDK's errors turned into ours by it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure, TemporaryFailure

# Provider's code -> failure, reason (a key of the catalogue), whether an operator must act. Codes that are not
# here fall back to `_BY_STATUS`. Source: twilio.com/docs/api/errors.
_Fault = tuple[type[SendFailure], str, bool]
_BY_CODE: dict[int, _Fault] = {
    21211: (PermanentFailure, "sms.invalid-number", False),
    21614: (PermanentFailure, "sms.invalid-number", False),
    21610: (PermanentFailure, "sms.opted-out", False),
    21612: (PermanentFailure, "sms.unreachable", False),
    21408: (PermanentFailure, "sms.region-closed", True),
    30004: (PermanentFailure, "sms.unreachable", False),
    30005: (PermanentFailure, "sms.unreachable", False),
    30006: (PermanentFailure, "sms.unreachable", False),
    21617: (PermanentFailure, "sms.refused-text", True),
    30012: (PermanentFailure, "sms.refused-text", True),
    30013: (PermanentFailure, "sms.refused-text", True),
    30007: (PermanentFailure, "sms.filtered", True),
    20429: (TemporaryFailure, "sms.busy", False),
    63017: (TemporaryFailure, "sms.busy", False),
    21611: (TemporaryFailure, "sms.busy", False),
    30001: (TemporaryFailure, "sms.busy", False),
    30017: (TemporaryFailure, "sms.busy", False),
    30022: (TemporaryFailure, "sms.busy", False),
    30003: (TemporaryFailure, "sms.switched-off", False),
    30008: (TemporaryFailure, "sms.switched-off", False),
    30036: (TemporaryFailure, "sms.switched-off", False),
    20003: (TemporaryFailure, "sms.credentials", True),
    20005: (TemporaryFailure, "sms.account-suspended", True),
    30002: (TemporaryFailure, "sms.account-suspended", True),
    21603: (TemporaryFailure, "sms.sender-unusable", True),
    21606: (TemporaryFailure, "sms.sender-unusable", True),
    21659: (TemporaryFailure, "sms.sender-unusable", True),
    30032: (TemporaryFailure, "sms.sender-unusable", True),
    30034: (TemporaryFailure, "sms.sender-unusable", True),
    20500: (OutcomeUnknown, "sms.no-answer", False),
    20503: (OutcomeUnknown, "sms.no-answer", False),
}
_BY_STATUS: dict[int, _Fault] = {
    401: (TemporaryFailure, "sms.credentials", True),
    403: (TemporaryFailure, "sms.credentials", True),
    404: (TemporaryFailure, "sms.wrong-address", True),
    408: (TemporaryFailure, "sms.busy", False),
    429: (TemporaryFailure, "sms.busy", False),
}


def fault(status: int, code: int) -> SendFailure:
    """The failure for an HTTP status and the provider's code (equal to the status where it gave none)."""
    kind, reason, alarm = _BY_CODE.get(code) or _BY_STATUS.get(status) or _by_class(status)
    return kind(reason, code=str(code or status), alarm=alarm)


def _by_class(status: int) -> _Fault:
    if status >= 500:
        return OutcomeUnknown, "sms.no-answer", False
    if 400 <= status < 500:
        return PermanentFailure, "sms.refused", False
    return TemporaryFailure, "sms.wrong-address", True  # a redirect: nobody processed it


def translated(error: TwilioException) -> SendFailure:
    """What the SDK raised as one of ours; the provider's own sentence is dropped, it may name a number."""
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return fault(int(error.status or 0), int(error.code or 0))
    return OutcomeUnknown("sms.no-answer", code=type(error).__name__)


@contextmanager
def as_failures() -> Iterator[None]:
    """Turn what the SDK raises into the failures of the channel contract."""
    try:
        yield
    except TwilioException as error:
        raise translated(error) from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # The answer was a success by its status, but unreadable.
        raise OutcomeUnknown("sms.no-answer", code=type(error).__name__) from None
