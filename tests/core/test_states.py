"""The tables of legal moves: whole, consistent, and with ends that are ends."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

import pytest

from reminders.core import states
from reminders.core.states import (
    CALL_RANK,
    CALL_STATE,
    CARRIER_RANK,
    CARRIER_STATE,
    CHECK_IN_MOVES,
    ESCALATION_MOVES,
    MESSAGE_MOVES,
    TERMINAL,
    CheckInState,
    EscalationState,
    MessageState,
)

S = MessageState
State = TypeVar("State", bound=StrEnum)


def reachable(moves: Mapping[State, frozenset[State]], start: State) -> set[State]:
    """Every state that a life which begins at `start` can come to."""
    found, ahead = {start}, [start]
    while ahead:
        new = moves[ahead.pop()] - found
        found |= new
        ahead += new
    return found


@pytest.mark.parametrize(
    ("moves", "start", "all_states"),
    [
        (MESSAGE_MOVES, S.SCHEDULED, MessageState),
        (CHECK_IN_MOVES, CheckInState.OPEN, CheckInState),
        (ESCALATION_MOVES, EscalationState.OPEN, EscalationState),
    ],
)
def test_every_state_has_its_row_and_can_be_reached(
    moves: Mapping[State, frozenset[State]], start: State, all_states: type[State]
) -> None:
    assert set(moves) == set(all_states)
    assert reachable(moves, start) == set(all_states)


def test_terminal_is_where_nothing_but_better_news_can_follow() -> None:
    assert {
        S.DELIVERED,
        S.UNDELIVERED,
        S.FAILED,
        S.REJECTED,
        S.UNRESOLVED,
        S.REPLACED,
        S.CANCELLED,
        S.EXPIRED,
        S.SUPPRESSED,
    } == TERMINAL


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_terminal_is_ever_sent_again(state: MessageState) -> None:
    assert not reachable(MESSAGE_MOVES, state) & {S.SCHEDULED, S.CLAIMED, S.SENDING}


def test_a_create_starts_from_a_claim_alone() -> None:
    assert [state for state, moves in MESSAGE_MOVES.items() if S.SENDING in moves] == [S.CLAIMED]


def test_only_what_proves_never_to_have_left_waits_again() -> None:
    assert {state for state, moves in MESSAGE_MOVES.items() if S.SCHEDULED in moves} == {
        S.CLAIMED,
        S.SENDING,
        S.AMBIGUOUS,
    }


def test_what_a_cancel_still_reaches_is_what_has_not_left() -> None:
    assert {S.SCHEDULED, S.CLAIMED} == states.UNSENT
    assert {S.SENDING, S.AMBIGUOUS} == states.IN_FLIGHT
    assert not states.UNSENT & states.LEFT
    assert states.IN_FLIGHT <= states.LEFT
    assert {S.CANCELLED, S.EXPIRED, S.SUPPRESSED} == states.DROPPED


@pytest.mark.parametrize(("ranks", "meaning"), [(CARRIER_RANK, CARRIER_STATE), (CALL_RANK, CALL_STATE)])
def test_every_word_of_the_carrier_has_a_rank_and_a_meaning(
    ranks: Mapping[str, int], meaning: Mapping[str, MessageState]
) -> None:
    assert set(ranks) == set(meaning)
    in_order = sorted(ranks, key=lambda word: ranks[word])
    for earlier, later in pairwise(in_order):
        before, after = meaning[earlier], meaning[later]
        assert ranks[earlier] == ranks[later] or before == after or after in MESSAGE_MOVES[before], (earlier, later)


@pytest.mark.parametrize("origin", [S.SENDING, S.AMBIGUOUS, S.UNRESOLVED, S.REPLACED, S.ACCEPTED])
def test_any_word_of_the_carrier_settles_what_is_not_settled(origin: MessageState) -> None:
    assert set(CARRIER_STATE.values()) - {origin} <= MESSAGE_MOVES[origin]
