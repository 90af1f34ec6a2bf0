"""How a host's certificate and its copies differ from what is declared."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any


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


class FilterModule:
    def filters(self) -> Mapping[str, Any]:
        return {
            "pki_certificate_problems": lambda *given, **named: list(certificate_problems(*given, **named)),
            "pki_file_problems": lambda *given, **named: list(file_problems(*given, **named)),
            "pki_names": alternative_names,
        }
