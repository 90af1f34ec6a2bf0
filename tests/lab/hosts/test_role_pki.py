"""The pki role on a host: a certificate that openssl believes, a key that nobody else sees, and what ends renewed."""

import json
from pathlib import Path

import pytest

from tests.lab.host_fixtures import DIRECTORY, Hosts, Played

pytestmark = pytest.mark.lab

HOST = "host2"
KEY = "/etc/pki/gdcc/host.key"
CERTIFICATE = "/etc/pki/gdcc/host.pem"


def play(hosts: Hosts, *options: str, **more: object) -> Played:
    return hosts.play("pki", "--limit", HOST, "-e", json.dumps(more), *options)


def verify(hosts: Hosts) -> Played:
    return hosts.play("host-verify", "--tags", "pki", "--limit", HOST)


def serial(hosts: Hosts) -> str:
    return hosts.command(HOST, f"openssl x509 -in {CERTIFICATE} -noout -serial")


@pytest.fixture(scope="module")
def hosts(bare_hosts: Hosts) -> Hosts:
    """Looked at by `--check`, which makes no key, and then configured, with no key in what Ansible shows of it."""
    looked = play(bare_hosts, "--check", "--diff")
    assert "The host has no key yet" in looked.output
    assert bare_hosts.says(HOST, "ls /etc/pki/gdcc") == ""
    configured = play(bare_hosts, "--diff", "-vvv")
    assert not configured.failed, configured.output
    key = bare_hosts.command(HOST, f"cat {KEY}").splitlines()
    assert not [line for line in key if line in configured.output]
    assert (DIRECTORY / "ca.key").read_text().splitlines()[1] not in configured.output
    return bare_hosts


def test_a_second_run_changes_nothing_and_openssl_believes_the_certificate(hosts: Hosts, tmp_path: Path) -> None:
    assert play(hosts).changed == {HOST: 0}
    assert play(hosts, "--check", "--diff").changed == {HOST: 0}
    assert not verify(hosts).failed
    assert hosts.command(HOST, f"openssl verify -CAfile /etc/pki/CA/cacert.pem {CERTIFICATE}").endswith("OK\n")


def test_the_expiry_is_told_to_node_exporter(hosts: Hosts) -> None:
    hosts.command(HOST, "systemctl start gdcc-pki-expiry.service")
    told = hosts.command(HOST, "cat /var/lib/prometheus/node-exporter/gdcc_pki.prom")
    ends = hosts.command(HOST, f'date -d "$(openssl x509 -in {CERTIFICATE} -noout -enddate | cut -d= -f2)" +%s')
    assert f'gdcc_certificate_not_after_seconds{{path="{CERTIFICATE}"}} {ends.strip()}' in told


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("echo x >>/etc/pki/qemu/server-cert.pem", "/etc/pki/qemu/server-cert.pem is not the same as"),
        ("chmod 644 /etc/pki/libvirt/private/serverkey.pem", "mode 0600 is declared, found 0644"),
        (f"openssl ecparam -genkey -name secp384r1 -noout -out {KEY}", "the certificate is of another key"),
        (f"rm {CERTIFICATE}", "the host's certificate cannot be read"),
        ("systemctl stop gdcc-pki-expiry.timer", "gdcc-pki-expiry.timer is declared active, found inactive"),
    ],
)
def test_what_is_changed_by_hand_is_named_and_put_right(hosts: Hosts, by_hand: str, told: str) -> None:
    hosts.command(HOST, by_hand)
    looked = play(hosts, "--check", "--diff")
    assert looked.changed[HOST] > 0
    assert "PRIVATE KEY" not in looked.output
    verified = verify(hosts)
    assert verified.failed == {HOST}
    assert told in " ".join(verified.output.split())
    assert not play(hosts).failed
    assert not verify(hosts).failed


def test_a_certificate_that_ends_soon_or_is_for_other_names_is_signed_anew(hosts: Hosts) -> None:
    assert not play(hosts, pki_valid_days=5, pki_renew_days=1, pki_names=[HOST, "other"]).failed
    ending = " ".join(verify(hosts).output.split())
    assert "the certificate ends in less than 30 days" in ending
    assert "DNS:other" in ending
    before = serial(hosts)
    assert not play(hosts).failed
    assert serial(hosts) != before
    assert not verify(hosts).failed


def test_a_command_signs_instead_of_the_key(hosts: Hosts, tmp_path: Path) -> None:
    signer = tmp_path / "sign"
    ca = f"-CA {DIRECTORY}/ca.crt -CAkey {DIRECTORY}/ca.key -CAcreateserial -CAserial {tmp_path}/serial"
    signer.write_text(f"#!/bin/sh\nexec openssl x509 -req -copy_extensions copy -days 90 {ca}\n")
    signer.chmod(0o755)
    hosts.command(HOST, f"rm {CERTIFICATE}")
    command = {"pki_sign_command": [str(signer)], "pki_ca_key": ""}
    assert not play(hosts, **command).failed
    assert play(hosts, **command).changed == {HOST: 0}
    assert not verify(hosts).failed


def test_a_ca_key_that_cannot_be_read_is_told_without_showing_it(hosts: Hosts) -> None:
    hosts.command(HOST, f"rm {CERTIFICATE}")
    refused = play(hosts, pki_ca_key="-----BEGIN planted-----")
    assert f"The certificate of {HOST} was not signed" in " ".join(refused.output.split())
    assert "planted" not in refused.output
    assert not play(hosts).failed
