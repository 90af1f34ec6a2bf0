"""The estate as it should be, and the only code that reads it.

Values are frozen; `load` is the only reader of YAML; `validate` is pure. Nothing here knows a cloud, a host or a
controller, and everything else may import this.
"""
