"""Writes the object store's rings: one device on one server of each kind. `python rings.py FOLDER KIND:PORT…`."""

import sys
from pathlib import Path

from swift.common.ring import RingBuilder

PART_POWER, REPLICAS, MIN_PART_HOURS = 4, 1, 0


def main(folder, *servers):
    for kind, port in (server.split(":") for server in servers):
        ring = RingBuilder(PART_POWER, REPLICAS, MIN_PART_HOURS)
        ring.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": int(port), "device": "d1", "weight": 1})
        ring.rebalance()
        ring.get_ring().save(str(Path(folder) / f"{kind}.ring.gz"))


if __name__ == "__main__":
    main(*sys.argv[1:])
