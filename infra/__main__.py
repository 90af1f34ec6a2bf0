"""What Pulumi runs for every stack.

Without the garbage collector: a program lives for a second, and what it makes (an estate, resources, outputs) stays
until its end. The collector would only look through all of it, again and again: a third of the time.
"""

import gc

gc.disable()

from infra import program  # noqa: E402 - much of what the collector looks through is made by imports

program.run()
