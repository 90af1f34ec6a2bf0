"""What no stack may declare, whoever wrote the program: the policy pack, and the check of a preview's changes.

A rule is a pure function of what is declared; only `pack` knows Pulumi's SDK. Nothing here reads the estate, the cloud
or a clock, so that the pack starts as quickly as Python does.
"""
