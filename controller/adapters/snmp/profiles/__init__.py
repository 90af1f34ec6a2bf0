"""One file for each kind of device: what to ask, and a pure decoder from the answers to readings. No I/O."""
