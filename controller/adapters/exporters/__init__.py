"""Readings straight from node exporter and libvirt exporter, for sites with no Prometheus.

Each exporter is read by a task of its own, so a slow or dead one delays no other. Rates need two pages: a counter that
went down gives a fault and no value, and the next page begins anew.
"""
