"""A BMC that speaks Redfish over HTTP, as DMTF's schema says: what it tells, what it takes, what it keeps secret.

Accounts and trap targets are made by POST, or only in the slots that are there (`fixed_slots`); passwords and SNMP keys
are taken and never told; a property or a value that the schema does not know is refused; an update is a task.
"""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Resource = dict[str, Any]

ROOT = "/redfish/v1/"
SYSTEM, MANAGER = "/redfish/v1/Systems/1", "/redfish/v1/Managers/bmc"
NETWORK = f"{MANAGER}/NetworkProtocol"
ACCOUNTS, SUBSCRIPTIONS = "/redfish/v1/AccountService/Accounts", "/redfish/v1/EventService/Subscriptions"
FIRMWARE = "/redfish/v1/UpdateService/FirmwareInventory"
UPDATE = "/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate"
TASK = "/redfish/v1/TaskService/Tasks/1"

_SNMP_KEYS = {"AuthenticationProtocol", "AuthenticationKey", "EncryptionProtocol", "EncryptionKey"}
_ANY = None
_SETTABLE: Mapping[str, Mapping[str, Any]] = {
    SYSTEM: {"PowerRestorePolicy": {"AlwaysOn", "AlwaysOff", "LastState"}, "AssetTag": _ANY},
    MANAGER: {"DateTime": _ANY, "DateTimeLocalOffset": _ANY},
    NETWORK: {"SNMP": _ANY, "NTP": _ANY, "IPMI": _ANY, "HostName": _ANY},
    ACCOUNTS: {
        "UserName": _ANY,
        "Password": _ANY,
        "RoleId": {"Administrator", "Operator", "ReadOnly", ""},
        "Enabled": {True, False},
        "AccountTypes": _ANY,
        "SNMP": _ANY,
    },
    SUBSCRIPTIONS: {
        "Destination": _ANY,
        "Protocol": {"Redfish", "SNMPv1", "SNMPv2c", "SNMPv3", "SyslogTLS"},
        "SubscriptionType": {"RedfishEvent", "SNMPTrap", "SSE", "Syslog"},
        "Context": _ANY,
        "SNMP": _ANY,
    },
}
"""What PATCH and POST may name, by resource or collection, and where the schema lists its values those."""


class RefusalError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class RedfishBmc:
    """`resources` by path, secrets left out; `passwords` and `snmp_keys` by account; `requests` as (method, path).

    `images` gives the version that an image URL holds; an image not there fails its task. `stubborn` names properties
    that the BMC takes and does not change. `clock` is what it tells once it follows NTP.
    """

    passwords: dict[str, str] = field(default_factory=lambda: {"root": "calvin"})
    images: dict[str, str] = field(default_factory=dict)
    fixed_slots: bool = False
    stubborn: frozenset[str] = frozenset()
    looks_until_done: int = 2
    resources: dict[str, Resource] = field(default_factory=dict)
    snmp_keys: dict[str, Resource] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    made: int = 0
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self.resources |= _factory()
        for name in self.passwords:
            self._add(ACCOUNTS, {"UserName": name, "RoleId": "Administrator", "Enabled": True})
        if self.fixed_slots:
            for _ in range(3):
                self._add(ACCOUNTS, {"UserName": "", "RoleId": "", "Enabled": False})

    def answer(self, method: str, path: str, body: Resource) -> tuple[int, Resource, dict[str, str]]:
        """Status, body and headers. Raises RefusalError."""
        self.requests.append((method, path))
        path = path if path == ROOT else path.rstrip("/")
        if path == UPDATE and method == "POST":
            return self._update(body)
        if path not in self.resources:
            raise RefusalError(404, f"The resource at the URI {path} was not found.")
        match method:
            case "GET":
                return 200, self._told(path), {"ETag": self._etag(path)}
            case "PATCH":
                self._change(path, _kind(path), body)
                return 200, self._told(path), {}
            case "POST" if path in {ACCOUNTS, SUBSCRIPTIONS} and not (self.fixed_slots and path == ACCOUNTS):
                made = self._add(path, {})
                try:
                    self._change(made, path, body)
                except RefusalError:
                    self._remove(made)
                    raise
                return 201, self._told(made), {"Location": made}
            case "DELETE" if _kind(path) in {ACCOUNTS, SUBSCRIPTIONS} and _kind(path) != path:
                self._remove(path)
                return 204, {}, {}
        raise RefusalError(405, f"{method} is not allowed on {path}.")

    def account(self, name: str) -> Resource:
        """An account as the BMC tells it. Raises StopIteration where there is none."""
        return next(
            one for path, one in self.resources.items() if _kind(path) == ACCOUNTS and one.get("UserName") == name
        )

    def known(self, login: tuple[str, str] | None) -> bool:
        return login is not None and self.passwords.get(login[0]) == login[1]

    def _told(self, path: str) -> Resource:
        told = deepcopy(self.resources[path])
        if "Members" in told:
            paths = [one for one in self.resources if one.rpartition("/")[0] == path]
            told |= {"Members": [{"@odata.id": one} for one in paths], "Members@odata.count": len(paths)}
        if path == MANAGER and self.resources[NETWORK]["NTP"]["ProtocolEnabled"]:
            told["DateTime"] = self.clock().isoformat(timespec="seconds")
        if path == TASK and self.resources[TASK]["TaskState"] == "Running":
            self._work()
        return told

    def _etag(self, path: str) -> str:
        return f'"{hash(json.dumps(self.resources[path], sort_keys=True)) & 0xFFFFFF:x}"'

    def _add(self, collection: str, values: Resource) -> str:
        self.made += 1
        path = f"{collection}/{self.made}"
        self.resources[path] = {"@odata.id": path, "Id": str(self.made), **values}
        return path

    def _remove(self, path: str) -> None:
        name = self.resources.pop(path).get("UserName")
        self.passwords.pop(name, None)
        self.snmp_keys.pop(name, None)

    def _change(self, path: str, kind: str, body: Resource) -> None:
        for name, value in body.items():
            allowed = _SETTABLE.get(kind, {}).get(name, ())
            if allowed == ():
                raise RefusalError(400, f"The property {name} is not in the list of valid properties for the resource.")
            if allowed is not _ANY and value not in allowed:
                raise RefusalError(
                    400, f"The value {value} for the property {name} is not in the list of acceptable values."
                )
        kept = {name: value for name, value in body.items() if name not in self.stubborn and name != "Password"}
        resource = self.resources[path]
        secret = _take_keys(kept)
        for name, value in kept.items():
            resource[name] = {**resource.get(name, {}), **value} if isinstance(value, dict) else value
        owner = resource.get("UserName") or resource.get("Destination", "")
        if secret:
            self.snmp_keys[owner] = {**self.snmp_keys.get(owner, {}), **secret}
        if "Password" in body:
            self.passwords[owner] = body["Password"]

    def _update(self, body: Resource) -> tuple[int, Resource, dict[str, str]]:
        targets = body.get("Targets") or []
        if not body.get("ImageURI") or not targets:
            raise RefusalError(400, "Missing ImageURI and/or Targets.")
        if unknown := [one for one in targets if one not in self.resources]:
            raise RefusalError(400, f"The target {unknown[0]} is not known.")
        self.resources[TASK] = {
            "@odata.id": TASK, "Id": "1", "TaskState": "Running", "Messages": [],
            "Oem": {"left": self.looks_until_done, "target": targets[0], "image": body["ImageURI"]},
        }  # fmt: skip
        return 202, {"@odata.id": TASK}, {"Location": TASK}

    def _work(self) -> None:
        task = self.resources[TASK]
        doing = task["Oem"]
        doing["left"] -= 1
        if doing["left"] > 0:
            return
        version = self.images.get(doing["image"])
        if version is None:
            task |= {"TaskState": "Exception", "Messages": [{"Message": f"Unable to transfer {doing['image']}."}]}
            return
        name = {SYSTEM: "BiosVersion", MANAGER: "FirmwareVersion"}.get(doing["target"], "Version")
        self.resources[doing["target"]][name] = version
        task["TaskState"] = "Completed"


def _kind(path: str) -> str:
    folder = path.rpartition("/")[0]
    return folder if folder in {ACCOUNTS, SUBSCRIPTIONS} else path


def _take_keys(kept: Resource) -> Resource:
    """Takes the keys out of what is kept, and says there instead that they are set."""
    snmp = kept.get("SNMP")
    if not isinstance(snmp, dict) or not _SNMP_KEYS & set(snmp):
        return {}
    secret = {name: snmp[name] for name in ("AuthenticationKey", "EncryptionKey") if name in snmp}
    kept["SNMP"] = {name: value for name, value in snmp.items() if name not in secret and not name.endswith("Set")}
    kept["SNMP"] |= {f"{name}Set": True for name in secret}
    return secret


def _collection(path: str) -> Resource:
    return {"@odata.id": path, "Members": []}


def _factory() -> dict[str, Resource]:
    """As it left the factory: power policy AlwaysOff, SNMP versions 1 and 2c on, no clock."""
    services = ("Systems", "Managers", "AccountService", "EventService", "UpdateService")
    components = {"Nic.1": "22.5.7", "Raid.1": "52.26.0"}
    return {
        ROOT: {"@odata.id": ROOT, "RedfishVersion": "1.17.0", **{one: {"@odata.id": ROOT + one} for one in services}},
        "/redfish/v1/Systems": _collection("/redfish/v1/Systems"),
        SYSTEM: {"@odata.id": SYSTEM, "Id": "1", "PowerState": "On", "PowerRestorePolicy": "AlwaysOff",
                 "BiosVersion": "2.18.1"},
        "/redfish/v1/Managers": _collection("/redfish/v1/Managers"),
        MANAGER: {"@odata.id": MANAGER, "Id": "bmc", "ManagerType": "BMC", "FirmwareVersion": "7.00.30",
                  "DateTime": "1970-01-01T00:00:00+00:00", "DateTimeLocalOffset": "+00:00",
                  "NetworkProtocol": {"@odata.id": NETWORK}},
        NETWORK: {"@odata.id": NETWORK, "HostName": "bmc", "NTP": {"ProtocolEnabled": False, "NTPServers": []},
                  "SNMP": {"ProtocolEnabled": True, "Port": 161, "EnableSNMPv1": True, "EnableSNMPv2c": True,
                           "EnableSNMPv3": False}},
        "/redfish/v1/AccountService": {"@odata.id": ROOT + "AccountService", "Accounts": {"@odata.id": ACCOUNTS}},
        ACCOUNTS: _collection(ACCOUNTS),
        "/redfish/v1/EventService": {"@odata.id": ROOT + "EventService", "Subscriptions": {"@odata.id": SUBSCRIPTIONS}},
        SUBSCRIPTIONS: _collection(SUBSCRIPTIONS),
        "/redfish/v1/UpdateService": {"@odata.id": ROOT + "UpdateService", "FirmwareInventory": {"@odata.id": FIRMWARE},
                                      "Actions": {"#UpdateService.SimpleUpdate": {"target": UPDATE}}},
        FIRMWARE: _collection(FIRMWARE),
        **{f"{FIRMWARE}/{name}": {"@odata.id": f"{FIRMWARE}/{name}", "Id": name, "Version": version, "Updateable": True}
           for name, version in components.items()},
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bmc: RedfishBmc
    turn: threading.Lock

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        with self.turn:
            status, answer, headers = self._answer(body)
        data = json.dumps(answer).encode() if status != 204 else b""
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_PATCH(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def _answer(self, body: Resource) -> tuple[int, Resource, dict[str, str]]:
        try:
            if self.path.rstrip("/") != ROOT.rstrip("/") and not self.bmc.known(self._login()):
                raise RefusalError(401, "The request has no valid login.")
            expected = self.headers.get("If-Match")
            if expected and self.path in self.bmc.resources and expected != self.bmc._etag(self.path):
                raise RefusalError(412, "The ETag supplied did not match the ETag of the resource.")
            return self.bmc.answer(self.command, self.path, body)
        except RefusalError as refusal:
            told = {"code": "Base.1.0.GeneralError", "message": str(refusal),
                    "@Message.ExtendedInfo": [{"Message": str(refusal)}]}  # fmt: skip
            return refusal.status, {"error": told}, {}

    def _login(self) -> tuple[str, str] | None:
        kind, _, text = (self.headers.get("Authorization") or "").partition(" ")
        if kind != "Basic":
            return None
        name, _, password = base64.b64decode(text).decode().partition(":")
        return name, password

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(bmc: RedfishBmc) -> Iterator[str]:
    """Its URL, for as long as it answers."""
    handler = type("Handler", (_Handler,), {"bmc": bmc, "turn": threading.Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
