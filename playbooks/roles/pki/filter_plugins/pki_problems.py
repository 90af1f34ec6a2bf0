"""How a host's certificate and its copies differ from what is declared."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

_DAY_S = 86_400


def certificate_problems(
    said: Sequence[Mapping[str, Any]], *, names: Sequence[str], authority: str, renew_days: int
) -> Iterable[str]:
    """Sentences from the answers of openssl, in the order in which `tasks/verify.yml` asks."""
    server, client, public, private, alternative, end, ca = said
    if public["rc"] or private["rc"]:
        unread = "certificate" if public["rc"] else "key"
        yield f"the host's {unread} cannot be read: {words(public if public['rc'] else private)}"
        return
    if ca["rc"] or ca["stdout"].partition("=")[2].lower() != authority.lower():
        yield f"the CA's certificate on the host is not the site's, whose SHA-256 is {authority}"
    for answer in (server, client):
        if answer["rc"]:
            yield f"openssl does not verify the certificate against the site's CA: {words(answer)}"
    if public["stdout"] != private["stdout"]:
        yield "the certificate is of another key than the host's"
    if (found := alternative_names(alternative["stdout"])) != sorted(names):
        yield f"the certificate is declared for {', '.join(sorted(names))}, found {', '.join(found) or 'none'}"
    if end["rc"]:
        yield f"the certificate ends in less than {renew_days} days ({end['stdout'].splitlines()[0]})"


def words(answer: Mapping[str, Any]) -> str:
    return " ".join((answer["stderr"] or answer["stdout"]).split())


def alternative_names(text: str) -> list[str]:
    """As `DNS:name` and `IP:address`, sorted, of what `openssl x509 -ext subjectAltName` prints."""
    listed = [word.strip() for line in text.splitlines() for word in line.split(",") if ":" in word]
    return sorted(canonical(word) for word in listed if word.startswith(("DNS:", "IP Address:")))


def canonical(word: str) -> str:
    kind, _, value = word.partition(":")
    return f"IP:{ip_address(value)}" if kind == "IP Address" else f"DNS:{value}"


def file_problems(
    found: Iterable[Mapping[str, Any]], copies: Sequence[Mapping[str, Any]], *, key: str
) -> Iterable[str]:
    """Sentences on copies that differ from what they are of, and on modes and groups. A key's content is never told."""
    by_path = {each["path"]: each for each in found if each["exists"]}
    if key in by_path and by_path[key]["mode"] != "0600":
        yield f"{key}: mode 0600 is declared, found {by_path[key]['mode']}"
    for copy in copies:
        here, source = by_path.get(copy["path"]), by_path.get(copy["of"], {})
        if here is None:
            yield f"{copy['path']} is declared, and there is none"
            continue
        if here["checksum"] != source.get("checksum"):
            yield f"{copy['path']} is not the same as {copy['of']}"
        for what, had in (("mode", here["mode"]), ("group", here["gr_name"])):
            if had != copy[what]:
                yield f"{copy['path']}: {what} {copy[what]} is declared, found {had}"


def certificate_facts(paths: Iterable[str], ends: Iterable[str], renew_days: int) -> dict[str, dict[str, object]]:
    """Path to `declared`, `found` and `differs`; `ends` are lines of seconds left, path and end, of `tasks/facts.yml`.

    A certificate that is not there, or cannot be read, has no line.
    """
    found = {path: (int(left), end) for left, path, end in (line.split(" ", 2) for line in ends)}
    return {path: certificate_fact(found.get(path), renew_days) for path in paths}


def certificate_fact(found: tuple[int, str] | None, renew_days: int) -> dict[str, object]:
    """`found` is how many seconds are left of it, and when it ends."""
    declared = {"days_left_at_least": renew_days}
    if found is None:
        return {"declared": declared, "found": "none", "differs": True}
    left_s, end = found
    return {
        "declared": declared,
        "found": {"days_left": left_s // _DAY_S, "ends": end},
        "differs": left_s < renew_days * _DAY_S,
    }


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {
            "pki_certificate_problems": lambda *given, **named: list(certificate_problems(*given, **named)),
            "pki_file_problems": lambda *given, **named: list(file_problems(*given, **named)),
            "pki_certificate_facts": certificate_facts,
            "pki_names": alternative_names,
        }
