"""A data centre in software: one model of physics behind the wire formats of real hardware and of OpenStack.

The world is state and arithmetic without I/O (`world`, `physics`, `topology`, `seating`, `orders`); the servers around
it (`openstack`, `snmp`, `exporters`, `control`) only translate it to the wire and hold no state of their own.
"""
