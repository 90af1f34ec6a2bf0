"""Redfish as the modules beside use it: one session with one BMC, and errors that are sentences."""

import json
import urllib.error

from ansible.module_utils.urls import open_url

ROOT = "/redfish/v1/"

CONNECTION = {
    "url": {"type": "str", "required": True},
    "user": {"type": "str", "required": True},
    "password": {"type": "str", "required": True, "no_log": True},
    "ca_path": {"type": "path"},
    "timeout_s": {"type": "int", "default": 30},
}
"""The arguments of every module that talks to a BMC."""


class RedfishError(Exception):
    """What the BMC refused or did not answer, as a sentence. `status` is the HTTP status, None where there was none."""

    def __init__(self, sentence, status=None):
        super().__init__(sentence)
        self.status = status


class Session:
    """Requests to one BMC, each with its login. Raises RedfishError."""

    def __init__(self, params):
        self.url = params["url"].rstrip("/")
        self.login = {
            "url_username": params["user"],
            "url_password": params["password"],
            "force_basic_auth": True,
            "ca_path": params["ca_path"],
            "timeout": params["timeout_s"],
        }

    def get(self, path):
        """A resource."""
        return self._send("GET", path)[0]

    def patch(self, path, body):
        """Changes a resource, unless it changed since it was read just now."""
        etag = self._send("GET", path)[1].get("etag")
        return self._send("PATCH", path, body, {"If-Match": etag} if etag else {})[0]

    def post(self, path, body):
        """What was answered, and its headers by lower-case name."""
        return self._send("POST", path, body)

    def delete(self, path):
        self._send("DELETE", path)

    def follow(self, steps):
        """The path of a resource: names of links from the service's root, and numbers of members."""
        path = ROOT
        for step in steps:
            here = self.get(path)
            if str(step).isdigit():
                members = here.get("Members", [])
                if int(step) >= len(members):
                    raise RedfishError(f"{self.url}{path} has {len(members)} members, and number {step} was asked for")
                path = members[int(step)]["@odata.id"]
            elif isinstance(here.get(step), dict) and "@odata.id" in here[step]:
                path = here[step]["@odata.id"]
            else:
                raise RedfishError(f"the BMC offers no {step} at {self.url}{path}", 404)
        return path

    def members(self, path):
        """Each member of a collection by its path."""
        listed = self.get(path)
        found = {one["@odata.id"]: None for one in listed.get("Members", [])}
        while "Members@odata.nextLink" in listed:
            listed = self.get(listed["Members@odata.nextLink"])
            found.update({one["@odata.id"]: None for one in listed.get("Members", [])})
        return {one: self.get(one) for one in found}

    def _send(self, method, path, body=None, headers=None):
        where = f"{method} {self.url}{path}"
        sent = {"Accept": "application/json", "OData-Version": "4.0", **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body)
        try:
            answer = open_url(self.url + path, method=method, data=data, headers=sent, **self.login)
            text = answer.read()
            return json.loads(text) if text else {}, {name.lower(): value for name, value in answer.headers.items()}
        except urllib.error.HTTPError as error:
            raise RedfishError(f"{where} was answered {error.code}: {_said(error)}", error.code) from error
        except ValueError as error:
            raise RedfishError(f"{where} was answered with what is no JSON: {error}") from error
        except OSError as error:
            raise RedfishError(f"{where} was not answered: {error}") from error


def _said(error):
    """The message of a refusal."""
    try:
        told = json.loads(error.read())["error"]
        extended = told.get("@Message.ExtendedInfo") or [{}]
        return extended[0].get("Message") or told.get("message") or error.reason
    except (ValueError, KeyError, TypeError, AttributeError):
        return error.reason


def differences(declared, found, prefix=""):
    """Each property that is not as declared: its dotted name, what was declared, what was found."""
    different = []
    for name, wanted in declared.items():
        here = found.get(name) if isinstance(found, dict) else None
        if isinstance(wanted, dict):
            different += differences(wanted, here, f"{prefix}{name}.")
        elif here != wanted:
            different.append({"property": prefix + name, "declared": wanted, "found": here})
    return different


def merged(first, second):
    """Both mappings in one, the second over the first, mapping by mapping."""
    both = dict(first)
    for name, value in second.items():
        old = both.get(name)
        both[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both
