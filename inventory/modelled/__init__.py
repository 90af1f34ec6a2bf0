"""What a generated estate is made of: places and hosts, the cloud's catalogue, agencies and their systems.

Pure, with randomness as an argument. The named systems are public, their sizes and rules are modelled.
"""
