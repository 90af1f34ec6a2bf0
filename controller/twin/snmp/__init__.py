"""SNMP agents of the estate's devices: one socket that answers, as each of them, what the address asked for would.

Tables of OIDs are written from the vendors' MIBs, units and oddities included, and know nothing of the adapter that
reads them.
"""
