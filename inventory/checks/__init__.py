"""The cross-checks of an estate, by subject. Pure: an estate in, problems out; `inventory.validate` runs them all.

A check says nothing about a name that `references` already reports as unknown, and a check that adds over the whole
estate runs only where no row is broken and no name unknown: one error is told once.
"""
