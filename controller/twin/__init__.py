"""A data centre in software: one model of physics behind the wire formats of real hardware and OpenStack."""
