"""What changed between two wordings."""

from hypothesis import given
from hypothesis import strategies as st

from reminders.core.word_changes import Change, Stretch, word_changes


def test_a_changed_word_is_gone_and_new_and_the_rest_is_the_same() -> None:
    changes = word_changes(before="Use heat for 10 minutes.", after="Use heat for 15 minutes.")

    assert changes == [
        Stretch(Change.SAME, "Use heat for "),
        Stretch(Change.GONE, "10 "),
        Stretch(Change.NEW, "15 "),
        Stretch(Change.SAME, "minutes."),
    ]


def test_the_same_words_have_not_changed() -> None:
    assert word_changes(before="Rest.", after="Rest.") == [Stretch(Change.SAME, "Rest.")]


def test_nothing_before_is_all_new() -> None:
    assert word_changes(before="", after="Rest.") == [Stretch(Change.NEW, "Rest.")]


@given(before=st.text(max_size=200), after=st.text(max_size=200))
def test_both_wordings_can_be_read_off_the_changes(before: str, after: str) -> None:
    changes = word_changes(before=before, after=after)

    assert "".join(one.text for one in changes if one.change is not Change.NEW) == before
    assert "".join(one.text for one in changes if one.change is not Change.GONE) == after
