"""What an answer means: the error that a status, or the lack of an answer, stands for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3
from keystoneauth1 import exceptions as ksa

from controller.errors import GdccError, PermanentError, RefusedError, TransientError

_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer. `where` is the call for people: method, service, path, status and request id."""

    status: int
    text: str
    headers: Mapping[str, str]
    call: str

    @property
    def request_id(self) -> str:
        """The service's own id of the request, empty where it gave none."""
        return self.headers.get("x-openstack-request-id", "")

    @property
    def where(self) -> str:
        """Where an error of this answer happened."""
        return f"{self.call}: {self.status}" + (f" [{self.request_id}]" if self.request_id else "")

    def body(self) -> dict[str, Any]:
        """The answer as a JSON object; `TransientError` where it is none (cut short, or a proxy's page)."""
        parsed = self._parsed()
        if not isinstance(parsed, dict):
            raise TransientError("the answer is not a JSON object", where=self.where)
        return parsed

    def rows(self) -> list[dict[str, Any]]:
        """The answer as a list of JSON objects, as the object store gives it; `TransientError` where it is none."""
        parsed = self._parsed()
        if not isinstance(parsed, list) or not all(isinstance(row, dict) for row in parsed):
            raise TransientError("the answer is no list of JSON objects", where=self.where)
        return parsed

    def _parsed(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError as error:
            raise TransientError("the answer is not JSON", where=self.where) from error


def complaint(text: str) -> str:
    """What the service said in an error's body, in its own words."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:_SHOWN]
    return " ".join(_message(parsed).split())[:_SHOWN]


def _message(parsed: object) -> str:
    if isinstance(parsed, dict):
        for key in ("message", "detail"):
            if isinstance(parsed.get(key), str):
                return str(parsed[key])
        return next((found for value in parsed.values() if (found := _message(value))), "")
    if isinstance(parsed, list):
        return next((found for value in parsed if (found := _message(value))), "")
    return ""


def retry_after_s(value: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks to wait: a number, or an HTTP date. 0 where it says nothing sensible."""
    if not value:
        return 0.0
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


def error_of(answer: Answer, *, write: bool) -> GdccError | None:
    """The error that this answer stands for, None for a success.

    A refusal carries the rule: `no-valid-host`, `bad-request`, `policy`, `not-found`, `conflict`. After a write, a
    server's error leaves open whether the request was taken; a 429 does not.
    """
    if answer.status < 300:
        return None
    said = complaint(answer.text) or "no word of explanation"
    if answer.status == 429:
        wait = retry_after_s(answer.headers.get("retry-after"), datetime.now(UTC))
        return TransientError(f"too many requests: {said}", where=answer.where, retry_after_s=wait)
    if answer.status >= 500:
        wait = retry_after_s(answer.headers.get("retry-after"), datetime.now(UTC))
        return TransientError(said, where=answer.where, retry_after_s=wait, sent=write)
    if answer.status < 400:
        return PermanentError("redirects elsewhere", where=answer.where, remedy="mend the endpoint in the catalog")
    if answer.status == 401:
        remedy = "check the account in clouds.yaml"
        return RefusedError(f"a new token was refused too: {said}", rule="policy", where=answer.where, remedy=remedy)
    return RefusedError(said, rule=_rule(answer.status, said), where=answer.where)


_BY_POLICY = "policy doesn't allow"
"""How oslo.policy refuses an account. Nova says 403 of one server too, which has an accelerator or is over a quota."""


def _rule(status: int, said: str) -> str:
    if status == 400 and "no valid host" in said.lower():
        return "no-valid-host"
    if status == 403 and _BY_POLICY in said.lower():
        return "policy"
    return {403: "forbidden", 404: "not-found", 409: "conflict"}.get(status, "bad-request")


def error_without_answer(error: ksa.ClientException, call: str, *, write: bool) -> GdccError:
    """The error that a failed exchange stands for: nothing came back, or not all of it."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return PermanentError("its certificate is not trusted", where=call, remedy="set cacert in clouds.yaml")
    return TransientError(_short(error), where=call, sent=write and _may_have_been_sent(error))


def error_before_sending(error: ksa.ClientException, call: str) -> GdccError:
    """The error that a failed authentication or discovery stands for: the request itself was never sent."""
    where = f"before {call}"
    if isinstance(error, ksa.HttpError) and error.http_status == 429:
        wait = retry_after_s(str(getattr(error, "retry_after", "") or ""), datetime.now(UTC))
        return TransientError(_short(error), where=where, retry_after_s=wait)
    if isinstance(error, ksa.HttpError) and 400 <= error.http_status < 500:
        return RefusedError(_short(error), rule="policy", where=where, remedy="check the account in clouds.yaml")
    if isinstance(error, ksa.EndpointNotFound | ksa.AuthPluginException):
        return PermanentError(_short(error), where=where, remedy="check the cloud's catalog and clouds.yaml")
    return error_without_answer(error, where, write=False)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:_SHOWN]


def _may_have_been_sent(error: ksa.ClientException) -> bool:
    """False only where no connection came about, which keystoneauth keeps as the context of its own exception."""
    cause = error.__context__
    if isinstance(cause, requests.exceptions.ConnectTimeout):
        return False
    reason = getattr(cause.args[0], "reason", None) if cause is not None and cause.args else None
    return not isinstance(reason, urllib3.exceptions.NewConnectionError)
