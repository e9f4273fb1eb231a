"""A lexicon that is not as it has to be is refused with the place and the reason."""

from importlib import resources

import pytest

from reminders.core.understanding.lexicon import LexiconError, build_lexicon, load_lexicon

GROUP = '[[group]]\nrule = "r"\nmeans = "flag"\nflags = ["neuro"]\nwhy = "A reason."\npatterns = ["numb"]\n'
SHIPPED = {
    entry.name: entry.read_text(encoding="utf-8")
    for entry in resources.files("reminders.core.understanding").joinpath("lexicon").iterdir()
    if entry.name.endswith(".toml")
}


def test_the_shipped_lexicon_loads_and_every_group_says_why() -> None:
    lexicon = load_lexicon()

    assert len(lexicon.groups) > 50
    assert {flag for group in lexicon.groups for flag in group.flags} >= {"breathing", "self_harm", "other"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (GROUP.replace('why = "A reason."\n', ""), "why is missing"),
        (GROUP.replace('["neuro"]', '["nerves"]'), "'nerves' is not a valid Flag"),
        (GROUP.replace('"flag"', '"sign"'), "means 'sign' is not one of"),
        (GROUP.replace('"flag"', '"sore"'), "flags belong to a group that means flag"),
        (GROUP.replace('["numb"]', "[]"), "patterns are missing"),
        (GROUP.replace("numb", "(numb"), r"expected \)"),
        (GROUP.replace("numb", "<nothing> numb"), "there is no class <nothing>"),
        (GROUP.replace("numb", "a||b"), "an alternative is empty"),
        (GROUP.replace("numb", "nu*"), "too short to be safe"),
        (GROUP.replace("numb", "~"), "has no word in it"),
        (GROUP + 'wy = "typo"\n', "unknown field wy"),
        (GROUP + 'yields_to = ["nobody"]\n', "yields to nobody, which does not exist"),
        (GROUP + GROUP, "the rule r is written twice"),
        ('[groups]\nrule = "r"\n', r"has no \[\[group\]\]"),
        ("rule = ", "own.toml"),
    ],
)
def test_a_broken_group_is_refused_with_the_reason(broken: str, reason: str) -> None:
    with pytest.raises(LexiconError, match=reason):
        build_lexicon({**SHIPPED, "own.toml": broken})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(LexiconError, match=r"no spelling\.toml"):
        build_lexicon({name: content for name, content in SHIPPED.items() if name != "spelling.toml"})


def test_a_clinic_can_add_a_file_of_its_own() -> None:
    own = GROUP.replace('"r"', '"neuro.own"').replace("numb", "zapped ~ <limb>")

    lexicon = build_lexicon({**SHIPPED, "own.toml": own})

    assert "neuro.own" in {group.rule for group in lexicon.groups}
