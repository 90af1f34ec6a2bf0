"""Keystone, Nova, Placement and Neutron on the wire, as the real ones answer an administrator.

Shapes, headers and error bodies follow Keystone 30, Nova 34, Placement 16 and Neutron 29. All four answer on one port,
each below a path of its own. The handlers hold no state: they translate the world and its orders.
"""
