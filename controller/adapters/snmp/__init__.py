"""SNMP: hardware's own word on inlet air, power and health, read from BMCs, PDUs and UPSes.

The law of this package:
- A device is asked by one request at a time, at its own pace, with a timeout learned from it; none waits for another.
- A plan is narrow: exactly the objects that a profile's decoder needs. Tables are walked at first contact, after a
  reboot and every so often; between, their rows are asked for by name.
- Nothing is a number that the device did not say plausibly, in answer to this request, from its own address and, in
  v3, under its own key. All else is a `Fault`, counted and shown.
- A trap is never a reading. It only asks for a poll, and not often.

`pysnmp` encodes, decodes and derives keys (`pdu`, `usm`); the engine of pysnmp is not used, because it keys what it
knows by engine id (two devices with one id disturb each other), sends the engine's time as last heard instead of as it
is, and grows (lextudio/pysnmp#245). What is known of a device is kept by its address.
"""
