"""What an author may write, what a value can do, and what leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminders.core.rendering import VARIABLES, TemplateError, compile_text, render
from reminders.core.text_variables import LANGUAGES, VariableKind

CLINIC = {"clinic_name": "Northside Physio"}


def refused(source: str) -> TemplateError:
    """The error that publishing this source gives."""
    with pytest.raises(TemplateError) as caught:
        compile_text(source)
    return caught.value


def sent(source: str, **values: object) -> str:
    """The body that leaves."""
    return render(compile_text(source), values=values)


def test_words_names_and_conditions_make_a_text() -> None:
    source = (
        "{% if technique == 'deep' %}Sore{% elif technique in ['electro'] %}Tired{% else %}Fine{% endif %}?"
        " {{ clinic_name }}"
    )

    assert sent(source, technique="deep", **CLINIC) == "Sore? Northside Physio"
    assert sent(source, technique="electro", **CLINIC) == "Tired? Northside Physio"
    assert sent(source, technique="superficial", **CLINIC) == "Fine? Northside Physio"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{% for a in clinic_name %}x{% endfor %}", "a loop"),
        ("{% macro m() %}x{% endmacro %}", "a macro"),
        ("{% import 'x' as y %}", "an import"),
        ("{% from 'x' import y %}", "an import"),
        ("{% include 'x' %}", "an include"),
        ("{% extends 'x' %}", "an extends"),
        ("{% block b %}x{% endblock %}", "a block"),
        ("{% set a = 1 %}", "a set"),
        ("{% set a %}x{% endset %}", "a set"),
        ("{{ clinic_name.upper }}", "a dot"),
        ("{{ clinic_name['x'] }}", "a look-up"),
        ("{{ clinic_name() }}", "a call"),
        ("{{ range(9) }}", "a call"),
        ("{% call clinic_name() %}x{% endcall %}", "a call"),
        ("{% filter upper %}x{% endfilter %}", "a filter block"),
        ("{% with a = 1 %}x{% endwith %}", "a with"),
        ("{% if clinic_name is defined %}x{% endif %}", "an is-test"),
        ("{{ 'x' * 999999999 }}", "arithmetic"),
        ("{{ 9 ** 9 ** 9 }}", "arithmetic"),
        ("{{ -1 }}", "arithmetic"),
        ("{{ 'x' ~ clinic_name }}", "joining"),
        ("{{ {'a': 'b'} }}", "a dictionary"),
    ],
)
def test_whatever_can_loop_call_or_grow_is_refused_before_it_is_published(source: str, said: str) -> None:
    error = refused(source)

    assert error.code == "not_allowed"
    assert said in error.message


def test_an_unknown_name_is_found_where_it_stands_with_the_name_that_was_meant() -> None:
    error = refused("Hello,\nthis is {{ clinik_name }}.")

    assert (error.code, error.line, error.column) == ("unknown_variable", 2, 12)
    assert "did you mean clinic_name" in error.message


def test_an_unknown_name_hides_in_no_branch() -> None:
    assert refused("{% if heat_ok %}a{% elif not is_first %}{{ nobody }}{% endif %}").code == "unknown_variable"
    assert refused("{% if heat_ok and nobody %}a{% endif %}").code == "unknown_variable"
    assert refused("{{ self }}").code == "unknown_variable"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("x" * 4_001, "too_long"),
        ("{{ clinic_name }", "syntax"),
        ("{% if heat_ok %}x", "syntax"),
        ("Hi { clinic_name }", "stray_brace"),
        ("Hi }} you", "stray_brace"),
        ("{% raw %}{{ clinic_name }}{% endraw %}", "stray_brace"),
        ("{{ clinic_name|safe }}", "unknown_filter"),
        ("{{ clinic_name|default('x') }}", "unknown_filter"),
        ("{{ clinic_name|trim('x') }}", "unknown_filter"),
        ("{{ heat_ok }}", "code_printed"),
        ("{{ technique|upper }}", "code_printed"),
        ("{{ 'a' if heat_ok else drug }}", "code_printed"),
        ("{{ 'a' if heat_ok }}", "no_else"),
        ("{{ heat_ok and clinic_name }}", "not_words"),
        ("{{ 7 }}", "not_words"),
        ("{% if technique %}x{% endif %}", "bad_comparison"),
        ("{% if not drug %}x{% endif %}", "bad_comparison"),
        ("{% if heat_ok or drug %}x{% endif %}", "bad_comparison"),
        ("{% if heat_ok == 'yes' %}x{% endif %}", "bad_comparison"),
        ("{% if technique > 'a' %}x{% endif %}", "bad_comparison"),
        ("{% if 'a' < technique < 'b' %}x{% endif %}", "bad_comparison"),
        ("{% if true %}x{% endif %}", "bad_comparison"),
        ("{% if technique == 'deeep' %}x{% endif %}", "unknown_choice"),
        ("{% if drug in ['any', 'aspirin'] %}x{% endif %}", "unknown_choice"),
        ("{% if 'electro' in technique %}x{% endif %}", None),
        ("{% if drug == clinic_name %}x{% endif %}", "unknown_choice"),
        ("{% if " + "(" * 3_900, "syntax"),
        ("{% if " + "not " * 900 + "heat_ok %}x{% endif %}", "too_complex"),
        ("{% if heat_ok %}" * 90 + "x" + "{% endif %}" * 90, "too_complex"),
    ],
)
def test_each_mistake_has_its_code_and_a_sentence(source: str, code: str | None) -> None:
    if code is None:
        assert compile_text(source).variables == {"technique"}
        return
    error = refused(source)

    assert error.code in (code, "too_complex" if code == "syntax" else code)
    assert error.message.endswith((".", "?"))


def test_the_line_of_a_stray_brace_is_found() -> None:
    assert refused("One\ntwo }\nthree").line == 2


def test_a_name_without_a_value_fails_before_anything_is_sent_also_in_a_branch_not_taken() -> None:
    compiled = compile_text("{% if heat_ok %}Hi{% else %}{{ clinic_name }}{% endif %}")

    with pytest.raises(TemplateError) as caught:
        render(compiled, values={"heat_ok": True})

    assert caught.value.code == "missing_variable"
    assert "clinic_name" in caught.value.message


def test_a_name_that_must_not_be_empty_counts_as_missing_when_it_is() -> None:
    with pytest.raises(TemplateError) as caught:
        sent("{{ clinic_name }}", clinic_name=" \u200b ")
    assert caught.value.code == "missing_variable"

    assert sent("Hi{% if booking_url %} {{ booking_url }}{% endif %}", booking_url="") == "Hi"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("heat_ok", "yes"),
        ("heat_ok", 1),
        ("technique", "shallow"),
        ("technique", None),
        ("clinic_name", 7),
        ("clinic_name", None),
        ("clinic_name", "Dana " * 70),
    ],
)
def test_a_wrong_value_is_refused_by_name_and_never_quoted(name: str, value: object) -> None:
    source = "{% if technique == 'deep' %}x{% endif %}{% if heat_ok %}y{% endif %}{{ clinic_name }}"
    good: dict[str, object] = {"technique": "deep", "heat_ok": True, **CLINIC}

    with pytest.raises(TemplateError) as caught:
        sent(source, **{**good, name: value})

    assert caught.value.code == "bad_value"
    assert name in caught.value.message
    assert "Dana" not in str(caught.value)
    assert "shallow" not in str(caught.value)


@pytest.mark.parametrize("name", ["{{ 7*7 }}", "{% if heat_ok %}", "<b>&amp;</b>", "{# x #}", "=1+1", "${x}"])
def test_a_value_is_never_read_as_a_template_and_never_escaped(name: str) -> None:
    assert sent("From {{ clinic_name }}.", clinic_name=name) == f"From {name}."


def test_a_value_brings_no_line_breaks_and_nothing_invisible() -> None:
    value = "North\r\nside\x00\x1b[31m \u202ePhysio\u200b\tLtd\ud800"

    assert sent("{{ clinic_name }}!", clinic_name=value) == "North side[31m Physio Ltd!"


def test_spaces_collapse_and_the_authors_line_breaks_stay() -> None:
    assert sent("  One   two  \n\n\n   three \n") == "One two\nthree"


def test_a_condition_on_its_own_line_leaves_no_empty_line() -> None:
    assert sent("One\n{% if heat_ok %}\ntwo\n{% endif %}\nthree\n", heat_ok=True) == "One\ntwo\nthree"


def test_typographic_quotes_and_dashes_become_plain() -> None:
    assert sent("“Don’t” – wait…") == '"Don\'t" - wait...'


def test_an_emoji_of_several_parts_stays_whole() -> None:
    assert sent("Hi \U0001f468\u200d\U0001f467") == "Hi \U0001f468\u200d\U0001f467"


def test_only_the_first_letter_is_raised() -> None:
    assert sent("{{ clinician_title|capfirst }} knows.", clinician_title="your PT") == "Your PT knows."


def test_the_longest_body_the_carrier_takes_is_1600_characters() -> None:
    assert len(sent("x" * 1_600)) == 1_600
    with pytest.raises(TemplateError) as caught:
        sent("x" * 1_601)
    assert caught.value.code == "too_long"


def test_values_cannot_lengthen_a_body_past_the_limit() -> None:
    with pytest.raises(TemplateError) as caught:
        sent("{{ clinic_name }}" * 10, clinic_name="n" * 300)
    assert caught.value.code == "too_long"


def test_a_text_that_says_nothing_in_this_case_is_not_sent() -> None:
    with pytest.raises(TemplateError) as caught:
        sent("{% if heat_ok %}Hi{% endif %}", heat_ok=False)
    assert caught.value.code == "empty"


def test_the_same_source_is_compiled_once() -> None:
    assert compile_text("Hello {{ clinic_name }}") is compile_text("Hello {{ clinic_name }}")


def test_a_compiled_text_tells_the_names_it_needs() -> None:
    assert compile_text("{{ clinic_name }}{% if heat_ok %}x{% endif %}").variables == {"clinic_name", "heat_ok"}


def outcome(source: str, **values: object) -> str | TemplateError:
    """The body that leaves, or why nothing does; anything else fails the test."""
    try:
        compiled = compile_text(source)
        return render(compiled, values=values or dict.fromkeys(compiled.variables, "x"))
    except TemplateError as error:
        return error


@given(st.text(max_size=200))
def test_any_source_is_either_sent_or_refused_with_a_template_error(source: str) -> None:
    result = outcome(source)

    assert isinstance(result, TemplateError) or 0 < len(result.strip()) == len(result) <= 1_600


@given(st.text(alphabet="{}% #'\"|()[]=!ifelsndort_acp", max_size=120))
def test_any_heap_of_template_signs_is_sent_or_refused_with_a_sentence(source: str) -> None:
    result = outcome(source)

    assert result if isinstance(result, str) else result.message


@given(st.text(max_size=100))
def test_any_value_leaves_as_one_clean_line(value: str) -> None:
    body = outcome("A{{ first_name }}Z", first_name=value)

    assert isinstance(body, str)
    assert body[0] + body[-1] == "AZ"
    assert "\n" not in body
    assert "  " not in body


def test_every_name_has_an_example_in_every_language_that_it_would_accept() -> None:
    for variable in VARIABLES.values():
        for language in LANGUAGES:
            example = variable.examples[language]
            if variable.kind is VariableKind.WORDS:
                assert sent(f"{{{{ {variable.name} }}}}", **{variable.name: example}) == example
            elif variable.kind is VariableKind.CHOICE:
                assert example in variable.choices
            else:
                assert isinstance(example, bool)
