# SPDX-License-Identifier: MIT
"""Every fault of virtsnd.FAULTS, on both transports: what the user sees, and that it is over."""

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from robust import DATA, FEED, PERIOD, Case, control, play, program_of, record
from virtsnd import FAULTS

sys.path.append(str(Path(__file__).parents[1]))
import robustness  # noqa: E402

CASES = [
    pytest.param(fault, transport, seen, id=f"{fault.name}-{transport}")
    for fault, transport, seen in robustness.cases()
]

# What is left of the items if some are left out: streams, jacks, channel maps, controls.
ITEMS = {
    "chmap-too-long": (2, 2, 1, 2), "chmap-longest": (2, 2, 1, 2), "chmap-empty": (2, 2, 1, 2),
    "chmap-direction-unknown": (2, 2, 1, 2),
    "control-type-unknown": (2, 2, 2, 1), "control-count-zero": (2, 2, 2, 1),
    "control-count-huge": (2, 2, 2, 1), "control-range-reversed": (2, 2, 2, 1),
    "control-items-huge": (2, 2, 2, 1),
    "jack-info-not-supp": (2, 0, 2, 2), "jack-info-bad-msg": (2, 0, 2, 2),
    "chmap-info-not-supp": (2, 2, 0, 2), "chmap-info-bad-msg": (2, 2, 0, 2),
    "ctl-info-not-supp": (2, 2, 2, 0), "ctl-info-bad-msg": (2, 2, 2, 0),
}
# What stands in print(card) of some others.
TEXTS = {
    "chmap-position-unknown": "channel map 0: output, position 99",
    "control-name-endless": "control 0: '" + 44 * "x" + "', INTEGER",
    "control-name-garbage": "control 0: '" + 44 * "?" + "', INTEGER",
}


@pytest.mark.parametrize(("fault", "transport", "seen"), CASES)
def test_what_the_user_sees(fault, transport, seen):
    program = program_of(fault)
    with Case(transport) as case:
        error, data = case.run(fault, program)
        if seen.startswith("OSError"):
            assert error == seen
        else:
            assert error is None
            all_is_well(case, fault, program, data)
        after_reset(case, fault)
        case.good()


def periods(data):
    return [data[at : at + PERIOD] for at in range(0, len(data), PERIOD)]


def all_is_well(case, fault, program, data):
    card = case.card
    items = card.streams, card.jacks, card.chmaps, card.controls
    assert tuple(map(len, items)) == ITEMS.get(fault.name, (2, 2, 2, 2))
    text = repr(card)
    assert ("tells nothing" in text) == (fault.name in ITEMS)
    assert TEXTS.get(fault.name, "") in text
    if fault.name.startswith("needs-reset"):
        # Of what was played only that of the last life is kept here: see test_vsnd_recovery.py.
        assert card.resets == 1 and DATA.endswith(case.played)
    elif fault.name == "order":
        assert sorted(periods(case.played)) == sorted(periods(DATA))
    elif fault.name == "recorded-odd":
        odd = FEED[: 6 * PERIOD - 4] + FEED[6 * PERIOD :]
        assert data == odd[: len(DATA)]
    elif fault.name == "control-items-endless":
        assert data[1][1] == (64 * "x",) * 2
    elif fault.name == "event-flood":
        assert case.played == DATA
        n = card.events.lost + len(list(iter(card.events.wait, None)))
        assert 200 < n < 35 * case.rig.clock.now / 10_000
    elif fault.name == "needs-reset":
        assert case.played == DATA[5 * PERIOD :]  # since the reset
    elif fault.name == "needs-reset-at-stop":
        assert case.played == b""
    elif fault.name == "needs-reset-rx":
        assert data[: 5 * PERIOD] == FEED[: 5 * PERIOD]
        assert data[5 * PERIOD :] == FEED[: 9 * PERIOD]  # which begins anew
    elif program is play:
        assert case.played == DATA
    elif program is record:
        assert data == FEED[: len(DATA)]
    else:
        assert program is control and len(data) == 2


def after_reset(case, fault):
    """What a device still writes after its reset hits whoever is there; then it is over."""
    if fault.name.endswith("after-reset"):
        if case.card:
            case.card.close()
        case.card = case.rig.vsnd.open()
        case.rig.clock.run(2_000_000)
        with suppress(OSError):
            play(case.card)


def test_every_fault_has_its_outcomes():
    assert list(robustness.OUTCOMES) == list(FAULTS)
    assert set(robustness.REACTIONS) == {fault.id for fault in FAULTS.values()}
    assert [f"H-{number:02}" for number in range(1, 28)] == list(robustness.REACTIONS)[:27]
    both = {name for name in FAULTS if name not in robustness.ONE_TRANSPORT}
    cases = {(fault.name, transport) for fault, transport, _ in robustness.cases()}
    assert {(name, t) for name in both for t in ("modern", "legacy")} <= cases


def test_the_page_is_up_to_date():
    text = (Path(__file__).parents[2] / robustness.PAGE).read_text()
    assert text == robustness.page(), "run `make robustness`"
