"""A small valid estate as text, and what `load` says when one piece of it is changed."""

from pathlib import Path

from inventory import load
from inventory.model import Problem

TEXT = """\
version: 1
estate:
  name: small
sites:
- {name: s1}
rooms:
- {name: hall, site: s1}
- {name: annex, site: s1}
zones:
- {name: cool, room: hall}
- {name: far, room: annex}
feeds:
- {name: a, room: hall, rated_watts: 5000, partner: b}
- {name: b, room: hall, rated_watts: 5000, partner: a}
racks:
- {name: r1, room: hall, zone: cool, base_watts: 100}
- {name: r2, room: hall, zone: cool}
pdus:
- {name: r1-a, rack: r1, feed: a, rated_amps: 16, address: "10.0.1.1", profile: apc-pdu, credential: pdu-v2c}
- {name: r1-b, rack: r1, feed: b, rated_amps: 16, address: "10.0.1.2", profile: raritan-pdu, credential: pdu-v2c}
- {name: r2-a, rack: r2, feed: a, rated_amps: 16, phases: 3}
- {name: r2-b, rack: r2, feed: b, rated_amps: 16, phases: 3}
devices:
- {name: ups-a, kind: ups, serves: a, address: "10.0.2.1", profile: ups-mib, credential: ups-v2c}
host_types:
- {name: t, vcpus: 64, memory_mib: 524288, disk_gib: 4000, idle_watts: 180, peak_watts: 520}
hosts:
- name: h1
  type: t
  rack: r1
  unit: 1
  clearance: confidential
  cords: [{pdu: r1-a}, {pdu: r1-b}]
  bmc: {address: "10.0.0.1", profile: idrac, credential: bmc-v3}
  exporters: ["h1:9100"]
- name: h2
  type: t
  rack: r2
  unit: 1
  clearance: internal
  cords: [{pdu: r2-a, phase: 2}, {pdu: r2-b, phase: 2}]
  bmc: {address: "10.0.0.2", profile: ilo, credential: bmc-v3}
aggregates:
- {name: az1, hosts: [h1, h2], availability_zone: az1}
flavors:
- {name: i.2c8g, vcpus: 2, memory_mib: 8192, disk_gib: 40, classification: internal,
   extra_specs: {"hw:cpu_policy": shared}}
- {name: c.2c8g, vcpus: 2, memory_mib: 8192, disk_gib: 40, classification: confidential,
   extra_specs: {"hw:mem_page_size": large}}
volume_types:
- {name: fast, classification: internal, backend: ceph}
networks:
- {name: ext, cidr: 10.9.0.0/16, physical_network: physnet1, vlan: 100, classification: internal}
agencies:
- {name: tax, pool: 10.128.0.0/20}
- {name: law}
systems:
- name: filing
  agency: tax
  project: filing
  classification: internal
  tier: standard
  subnet_prefix: 24
  windows: ["Mon-Fri 22:00-05:00", "Sat,Sun 00:00-24:00"]
  budget: {at_once: 1, per_hour: 4}
  vm_sets:
  - {role: web, flavor: i.2c8g, count: 2, spread: {domain: host, max_per_domain: 1}}
  - {role: db, flavor: i.2c8g, count: 1}
data_sets:
- {name: rates, system: filing, classification: open, public: true}
- {name: rulings, system: filing, classification: internal, readers: [law]}
"""


def problems(directory: Path) -> tuple[Problem, ...]:
    """All that `load` holds against a directory."""
    try:
        load.load(directory)
    except load.EstateError as error:
        return error.problems
    return ()


def told(directory: Path, old: str, new: str) -> list[str]:
    """What `load` says of the small estate with one text replaced, as `file:line: what`, the directory left out."""
    assert TEXT.count(old) == 1, f"{old!r} must stand once in the small estate"
    (directory / "estate.yaml").write_text(TEXT.replace(old, new), encoding="utf-8")
    prefix = f"{directory}/"
    return [f"{each.where.removeprefix(prefix)}: {each.what}" for each in problems(directory)]


def line_of(text: str) -> int:
    """The line of the small estate on which a text stands, from 1."""
    assert TEXT.count(text) == 1, f"{text!r} must stand once in the small estate"
    return TEXT[: TEXT.index(text)].count("\n") + 1
