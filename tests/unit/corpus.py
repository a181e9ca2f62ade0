# SPDX-License-Identifier: MIT
"""Sequences that once went wrong, in the driver or with it broken on purpose, as they were printed
by test_robustness_sequences.py. By name of what was wrong: arguments of sequences.replay().
"""

OPEN = [("open",), ("output", 480, 4), ("input", 480, 4)]

CORPUS = {
    # the test reset the card before the late answer came, and that broke the queue anew
    "an answer to whoever asked before the reset": {
        "steps": [
            *OPEN, *6 * [("write", 0)], ("output", 480, 4), *6 * [("write", 0)],
            ("fault", "answer-after-reset", 1), ("refresh",), ("write", 0),
        ],
    },
    # STOP was done and its answer had no bytes: dropping the stream stopped it again
    "a command that was done is said not to be": {
        "steps": [
            *OPEN, ("write", 1), ("write_in_place", 0), ("drain", 1),
            ("fault", "used-len-zero-control", 2), ("drain", 1), ("drain", 0),
            ("input", 480, 4), ("heal",), ("command", 1, "drop"),
        ],
    },
    # card.close() without stopping its streams
    "a card that is closed while it plays": {
        "steps": [
            *OPEN, ("write", 4321), ("close_card",), ("open",), ("output", 480, 4),
            ("write", 4321), ("drain", 0),
        ],
    },
    # a slot that was lent goes on playing what it was lent
    "with copy after without copy": {
        "steps": [
            *OPEN, ("write_in_place", 4321), ("drain", 0), ("write", 4321), ("drain", 0),
            ("write_in_place", 1920), ("write", 481), ("drain", 0),
        ],
    },
    "position begins anew": {
        "steps": [
            *OPEN, ("write", 2000), ("drain", 0), ("write", 2000), ("command", 0, "pause"),
            ("command", 0, "resume"), ("write", 4321), ("command", 0, "drop"), ("write", 481),
        ],
    },
    "a part of a period is forgotten by drop()": {
        "steps": [
            *OPEN, ("write", 481), ("command", 0, "drop"), ("write", 4321), ("drain", 0),
            ("readinto", 481), ("command", 1, "drop"), ("readinto", 959),
        ],
    },
    # the event queue believed 40 000 old entries
    "used.idx of the event queue jumps": {
        "steps": [
            *OPEN, ("jack", 0, True), ("fault", "used-idx-jumps-event", 1), ("write", 4321),
            ("sleep", 60), ("reset",), ("output", 480, 4), ("write", 4321), ("drain", 0),
        ],
    },
    # buffers that a flood left with the driver were given to the queue of the next life
    "a reset in the middle of a flood": {
        "steps": [
            *OPEN, ("fault", "event-flood", 1), ("write", 2000), ("sleep", 15), ("reset",),
            ("sleep", 15), ("sleep", 15), ("jack", 0, True), ("jack", 1, True),
        ],
        "transport": "legacy",
    },
    # events of a card that was never asked for any, after close()
    "gone, closed, opened": {
        "steps": [
            *OPEN, ("fault", "gone", 1), ("write", 4321), ("heal",), ("close_card",), ("open",),
            ("event", 5), ("output", 480, 4), ("write", 959),
        ],
    },
    # the model did not know that drop() after drain() ends the end
    "drop() after drain() of an input": {
        "steps": [*OPEN, ("drain", 1), ("command", 1, "drop"), ("readinto", 0)],
    },
}
