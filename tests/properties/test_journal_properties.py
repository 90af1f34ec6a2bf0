"""The journal against a model of it: whatever is asked in whatever order, over restarts, both say the same."""

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from controller.errors import InvariantError, RefusedError
from controller.model.ids import MoveId, ServerId
from controller.model.migration import NEXT, OPEN_STATES, Outcome, State
from tests.fakes import journals
from tests.fakes.journals import START, intent

MOVES = [MoveId(f"p1-{n}") for n in range(6)]


class JournalMachine(RuleBasedStateMachine):
    """Six moves of three servers; any step of any of them may be tried at any time."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._journal = journals.opened(Path(self._folder.name))
        self._states: dict[MoveId, State] = {}
        self._epoch = 0

    @rule()
    def new_leader(self) -> None:
        self._epoch += 1
        assert self._journal.open_epoch("test", START) == self._epoch

    @rule()
    def restart(self) -> None:
        self._journal.close_store()
        self._journal = journals.opened(Path(self._folder.name))

    @rule(move=st.sampled_from(MOVES), old=st.booleans())
    def intend(self, move: MoveId, old: bool) -> None:
        epoch = self._epoch - 1 if old else self._epoch
        asked = intent(move, server_id=_server(move), epoch=epoch)
        if old or _server(move) in self._busy() or move in self._states:
            self._refused(RefusedError, lambda: self._journal.intend(asked))
        else:
            self._journal.intend(asked)
            self._states[move] = State.INTENDED

    @rule(move=st.sampled_from(MOVES), state=st.sampled_from(State))
    def step(self, move: MoveId, state: State) -> None:
        def act() -> None:
            if state in OPEN_STATES:
                self._journal.advance(move, state, START)
            else:
                self._journal.close(move, Outcome(state=state, why="", ended_at=START + timedelta(minutes=1)))

        before = self._states.get(move)
        if before is not None and state in NEXT.get(before, frozenset()):
            act()
            self._states[move] = state
        else:
            self._refused(InvariantError, act)

    @invariant()
    def journal_and_model_agree(self) -> None:
        kept = {entry.intent.id: entry.state for entry in self._journal.entries_since(START)}
        assert kept == self._states
        open_entries = self._journal.open_entries()
        assert {entry.intent.id for entry in open_entries} == {m for m, s in kept.items() if s in OPEN_STATES}
        servers = [entry.intent.server_id for entry in open_entries]
        assert len(servers) == len(set(servers))

    def _busy(self) -> set[ServerId]:
        return {_server(move) for move, state in self._states.items() if state in OPEN_STATES}

    def _refused(self, kind: type[Exception], act: object) -> None:
        assert callable(act)
        try:
            act()
        except kind:
            return
        raise AssertionError("the journal took what it must refuse")

    def teardown(self) -> None:
        self._journal.close_store()
        self._folder.cleanup()


def _server(move: MoveId) -> ServerId:
    return ServerId(f"vm-{MOVES.index(move) % 3}")


TestJournal = JournalMachine.TestCase
TestJournal.settings = settings(max_examples=10, stateful_step_count=20, deadline=None)
