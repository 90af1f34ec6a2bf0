"""The estate's Pulumi stacks, driven as processes side by side: one child process of the official CLI a stack.

`tool` finds the CLI and knows its environment, `child` is one running process, `tally` understands the engine's events,
`runs` keeps many of them going and stops them without half-written state, `work` is what each verb does with a stack,
`stacks` says which stack runs when, and `stack_files` sets up new ones. `locks` and `state` read what Pulumi keeps,
`unlocking` ends a lock, `sidecars` takes away what a
kill leaves beside them. `drift`, `importing` and `graph` answer questions from previews and states.

Of the Automation API its events are used (`pulumi.automation.events`), its `Stack` is not: that one selects each stack
for whoever types `pulumi up` next, hands secret values over as arguments, and ties a run to pipes of this process, so
that a killed `gdcc` would kill an update in the middle. Here a child writes to files, in a session of its own, and
finishes what it began.
"""
