import pytest

from reminders.clinic.phones import PhoneError, format_phone, mask_phone, parse_phone


@pytest.mark.parametrize(
    "typed",
    ["312 555 0123", "(312) 555-0123", "312.555.0123", "1-312-555-0123", "+1 312 555 0123", "+13125550123",
     " 312‑555‑0123 ", "3125550123"],
)  # fmt: skip
def test_a_number_is_understood_however_it_is_written(typed: str) -> None:
    assert parse_phone(typed) == "+13125550123"


@pytest.mark.parametrize("area", ["312", "212", "303", "602", "213", "907", "808", "787"])
def test_numbers_for_stories_are_taken(area: str) -> None:
    assert parse_phone(f"+1 {area} 555 0199") == f"+1{area}5550199"


def test_a_number_of_another_country_needs_its_country_code() -> None:
    assert parse_phone("+52 55 1234 5678") == "+525512345678"
    with pytest.raises(PhoneError):
        parse_phone("020 7946 0000")
    assert parse_phone("020 7946 0000", region="GB") == "+442079460000"


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "911", "312 555 012", "312 555 01234", "312 155 0123", "911 555 0123", "+1 312 555 0123 ext 5",
     "312-FLOWERS", "312 555 O123", "1.3125550123E+10", "800 555 1212", "+999 1234 5678", "=1+1", "+", "Dana Reyes",
     "312\x00555 0123", "٣١٢ ٥٥٥ ٠١٢٣"],
)  # fmt: skip
def test_what_cannot_be_texted_is_refused_in_a_sentence_without_it(typed: str) -> None:
    with pytest.raises(PhoneError) as caught:
        parse_phone(typed)

    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert len(typed.strip()) < 4 or typed.strip() not in sentence


def test_people_read_the_number_as_they_write_it() -> None:
    assert format_phone("+13125550123") == "(312) 555-0123"
    assert format_phone("+525512345678") == "+52 55 1234 5678"
    assert format_phone("12345") == "12345"


def test_a_masked_number_keeps_two_digits() -> None:
    assert mask_phone("+13125550123") == "•••23"
    assert mask_phone("911") == "•••"
