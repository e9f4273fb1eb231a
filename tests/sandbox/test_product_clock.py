"""The clock, phonebook and next message of the product's database, and a carrier that outlives its absence."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from reminders import clock
from reminders.sandbox.clock import CarrierTime, ClockUnreachableError, PhoneEntry
from reminders.sandbox.product_clock import ProductClock
from tests import factories


@pytest.fixture
def product_clock(transactional_db: None) -> ProductClock:
    """The clock of this test's database."""
    settings = connection.settings_dict
    address = {"dbname": settings["NAME"], "user": settings["USER"], "password": settings["PASSWORD"]}
    return ProductClock(dsn=make_conninfo(host=settings["HOST"], port=settings["PORT"] or None, **address))


def test_a_move_reaches_the_product(product_clock: ProductClock) -> None:
    asyncio.run(product_clock.advance(timedelta(days=2)))

    assert abs(clock.now() - datetime.now(UTC) - timedelta(days=2)) < timedelta(minutes=1)
    assert abs(asyncio.run(product_clock.now()) - clock.now()) < timedelta(seconds=5)


def test_the_phonebook_names_patients_clinicians_and_the_clinics_numbers(product_clock: ProductClock) -> None:
    clinic = factories.make_clinic(name="Lakeview")
    patient = factories.make_patient(clinic=clinic, given_name="Ana", family_name="Ruiz")
    clinician = factories.make_clinician(clinic=clinic, phone=factories.new_phone())

    book = asyncio.run(product_clock.phonebook())

    assert book[factories.phone_of(patient)] == PhoneEntry("Ana R", "patient", patient.timezone)
    assert book[clinician.phone].role == "clinician"
    assert [entry.label for entry in book.values() if entry.role == "clinic"] == ["Lakeview"]


def test_nothing_planned_is_none(product_clock: ProductClock) -> None:
    assert asyncio.run(product_clock.next_message_at()) is None


def test_a_carrier_keeps_its_time_while_the_database_is_away() -> None:
    async def story() -> None:
        time = CarrierTime(ProductClock(dsn="host=127.0.0.1 port=9 connect_timeout=1"))
        await time.start()
        assert abs(time.now() - datetime.now(UTC)) < timedelta(seconds=5)
        assert await time.next_message_at() is None
        assert await time.phonebook() == {}
        with pytest.raises(ClockUnreachableError, match="does not answer"):
            await time.advance(timedelta(hours=1))
        await time.stop()

    asyncio.run(story())
