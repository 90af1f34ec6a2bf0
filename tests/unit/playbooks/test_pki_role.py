"""What is said of a certificate and its copies that are not as declared."""

from typing import Any

from tests.unit.playbooks.role_modules import role_module

PKI = role_module("pki/filter_plugins/pki_problems.py")
NAMES = ["DNS:cmp1", "IP:10.0.0.7", "IP:2001:db8::7"]
EXTENSION = "X509v3 Subject Alternative Name:\n    DNS:cmp1, IP Address:10.0.0.7, IP Address:2001:DB8:0:0:0:0:0:7\n"
CA = "sha256 Fingerprint=AB:CD"
COPY = {"path": "/etc/pki/qemu/server-key.pem", "of": "/etc/pki/gdcc/host.key", "mode": "0640", "group": "libvirt-qemu"}


def answer(stdout: str, rc: int = 0, stderr: str = "") -> dict[str, Any]:
    return {"stdout": stdout, "rc": rc, "stderr": stderr}


def problems(**differing: dict[str, Any]) -> list[str]:
    said = {
        "server": answer("host.pem: OK"),
        "client": answer("host.pem: OK"),
        "public": answer("KEY"),
        "private": answer("KEY"),
        "names": answer(EXTENSION),
        "end": answer("notAfter=Nov 26 11:30:37 2026 GMT\nCertificate will not expire"),
        "ca": answer(CA),
        **differing,
    }
    return list(PKI.certificate_problems(list(said.values()), names=NAMES, authority="ab:cd", renew_days=30))


def test_a_certificate_as_declared_is_no_problem() -> None:
    assert problems() == []


def test_each_difference_is_named() -> None:
    assert problems(ca=answer("sha256 Fingerprint=00:00")) == [
        "the CA's certificate on the host is not the site's, whose SHA-256 is ab:cd"
    ]
    assert problems(client=answer("", 2, "error 18:\n self-signed")) == [
        "openssl does not verify the certificate against the site's CA: error 18: self-signed"
    ]
    assert problems(private=answer("OTHER")) == ["the certificate is of another key than the host's"]
    assert problems(names=answer("DNS:cmp2")) == [
        "the certificate is declared for DNS:cmp1, IP:10.0.0.7, IP:2001:db8::7, found DNS:cmp2"
    ]
    assert problems(end=answer("notAfter=Nov 26 11:30:37 2026 GMT\nCertificate will expire", 1)) == [
        "the certificate ends in less than 30 days (notAfter=Nov 26 11:30:37 2026 GMT)"
    ]


def test_a_host_without_certificate_is_told_once() -> None:
    assert problems(public=answer("", 1, "Could not open file")) == [
        "the host's certificate cannot be read: Could not open file"
    ]


def file(path: str, **more: Any) -> dict[str, Any]:
    return {"path": path, "exists": True, "mode": "0640", "gr_name": "libvirt-qemu", "checksum": "a", **more}


def test_copies_that_differ_and_keys_that_others_may_read_are_named() -> None:
    key = "/etc/pki/gdcc/host.key"
    told = list(PKI.file_problems([file(key, mode="0644"), file(COPY["path"], checksum="b")], [COPY], key=key))
    assert told == [
        "/etc/pki/gdcc/host.key: mode 0600 is declared, found 0644",
        "/etc/pki/qemu/server-key.pem is not the same as /etc/pki/gdcc/host.key",
    ]
    (group,) = PKI.file_problems([file(key, mode="0600"), file(COPY["path"], gr_name="root")], [COPY], key=key)
    assert group == "/etc/pki/qemu/server-key.pem: group libvirt-qemu is declared, found root"
