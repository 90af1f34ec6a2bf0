"""Misfortunes that a scenario or a test asks for: strict values that know how to befall the twin and how to be lifted.

A load, a state or a deletion cannot be lifted; everything else can.
"""
