# SPDX-License-Identifier: MIT
"""virtboard.card: a test that uses it fails when it should."""

import threading

import pytest
from vhost_front import OK, START, Front, set_params
from virtboard.card import Card


def drive(card, *requests):
    """The answers of the card to control requests."""
    with Front(card.path) as qemu:
        qemu.greet().start()
        answers = [qemu.control(request) for request in requests]
    card.settle()
    return answers


def test_a_driver_that_keeps_the_rules(tmp_path):
    before = threading.active_count()
    card = Card(tmp_path / "s")
    assert drive(card, set_params()) == [OK]
    card.close()
    card.close()
    assert card.said == card.breaches == []
    assert "SET_PARAMS" in card.trace[-2]
    assert threading.active_count() == before
    assert list(tmp_path.iterdir()) == []


def test_a_breach_that_nobody_announced(tmp_path):
    before = threading.active_count()
    card = Card(tmp_path / "s")
    drive(card, START)
    with pytest.raises(AssertionError) as error:
        card.close()
    assert "want breaches of None, had:\n  S-30: START after None" in str(error.value)
    assert threading.active_count() == before


def test_a_breach_that_was_announced(tmp_path):
    card = Card(tmp_path / "s", breaches={"S-30"})
    drive(card, START)
    card.close()


def test_a_breach_that_did_not_come(tmp_path):
    card = Card(tmp_path / "s", breaches={"S-30"})
    drive(card, set_params())
    with pytest.raises(AssertionError, match="want breaches of {'S-30'}, had:"):
        card.close()


def test_an_error_in_the_thread(tmp_path):
    def setup(device):
        raise ZeroDivisionError("of the test")

    card = Card(tmp_path / "s", setup)
    with pytest.raises((AssertionError, ConnectionError)):
        drive(card)
    for call in (card.settle, card.close):
        with pytest.raises(ZeroDivisionError, match="of the test"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_what_a_machine_has_to_know(tmp_path):
    card = Card(tmp_path / "s")
    assert card.machine() == {"device": tmp_path / "s", "controls": False}
    card.close()
    card = Card(tmp_path / "s", features=1 << 32 | 1)
    assert card.machine() == {"device": tmp_path / "s", "controls": True}
    card.close()
