"""Finds quoted titles of songs, films and books, which may be worded like a sign."""

from reminders.core.understanding.text import Token

_QUOTES, _LONGEST_TITLE = frozenset({'"', "'"}), 4


def title_places(tokens: list[Token], sentence: list[int], media: frozenset[str]) -> set[int]:
    """Return the places of quoted words beside a word for what has a title: the song "Shortness of Breath"."""
    found: set[int] = set()
    opened = -1
    for at, token in enumerate(tokens):
        if token.norm not in _QUOTES:
            continue
        if opened < 0 or sentence[opened] != sentence[at]:
            opened = at
            # The mark that closes single quotes is taken for an apostrophe, so a few words have to do.
            single = range(at + 1, min(len(tokens), at + 1 + _LONGEST_TITLE)) if token.norm == "'" else range(0)
            inside = set(single)
        else:
            inside = set(range(opened + 1, at))
            opened = -1
        of_sentence = {place for place, number in enumerate(sentence) if number == sentence[at]}
        if any(tokens[place].norm in media for place in of_sentence):
            found |= inside & of_sentence
    return found
