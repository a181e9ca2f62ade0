# SPDX-License-Identifier: MIT
"""docs/robustness.md: every fault of virtsnd.FAULTS, and what the user of the driver sees of it.

    python tests/robustness.py >docs/robustness.md

`make robustness` does that, and then runs tests/unit/test_robustness_faults.py, which
compares OUTCOMES with what it sees, to the letter.
"""

import sys

from virtsnd import FAULTS, Register

PAGE = "docs/robustness.md"

# What a driver of this device should do about a fault, from the list of hardenings.
REACTIONS = {
    "H-01": "used.idx goes too far: the queue is broken, the device is reset",
    "H-02": "a used id beyond the queue: likewise",
    "H-03": "a used id that is no chain of the device's: likewise",
    "H-04": "a used length beyond the chain: an error",
    "H-05": "a used length too short for a status: an error",
    "H-06": "descriptors are overwritten: the driver has its own record of them",
    "H-07": "what was read changes: it is copied once, then checked",
    "H-08": "an unknown status is an error",
    "H-09": "a short answer is refused",
    "H-10": "no answer: every wait has a limit, and the buffer stays the device's",
    "H-11": "RELEASE keeps buffers: a short wait, then an error",
    "H-12": "huge counts are not believed",
    "H-13": "streams that make no sense are not used",
    "H-14": "channel maps that make no sense are left out",
    "H-15": "controls that make no sense are left out, strings end",
    "H-16": "metadata are parsed within what came",
    "H-17": "events that make no sense are ignored, their buffers returned",
    "H-18": "floods: so many at a time",
    "H-19": "an absurd latency is no more than a second",
    "H-20": "recorded lengths are cut to the buffer, and to whole frames",
    "H-21": "buffers that come back too soon are accepted",
    "H-22": "interrupts for nothing, or none at all",
    "H-23": "a reset that never ends has a limit; memory is not used again before it ends",
    "H-24": "a queue that is in use, missing, or of an odd size",
    "H-25": "features refused; NEEDS_RESET at any time",
    "H-26": "a configuration that never stands still: a few reads, then an error",
    "H-27": "items that the device does not know are left out",
    "R-01": "there is no device, or none any more",
}

PLAYED = "nothing: every frame is played"
RECORDED = "nothing: every frame is recorded"
SLOWLY = "every frame is played, but each wait takes until its limit"
LEFT_OUT = "every frame is played; `print(card)`: of 1 more it tells nothing that makes sense"


def _error(number, name, text):
    return f"OSError: [Errno {number}] {name}: {text}"


def _eio(text):
    return _error(5, "EIO", text)


def _timed_out(text):
    return _error(110, "ETIMEDOUT", text)


def _enodev(text):
    return _error(19, "ENODEV", text)


RECOVERED = "nothing: the card recovers, and goes on with what was not returned"
NO_OUTPUT = _enodev("the card has no output stream")
NO_DEVICE = _enodev(
    "no sound device: start QEMU with -device virtio-sound-device,audiodev=ID"
)
IN_USE = _error(22, "EINVAL", "queue 0 of the device at 0x10008000 is in use")
CONFIG = _error(
    11, "EAGAIN", "device at 0x10008000: configuration changes with every read"
)
TAKES_NOTHING = _timed_out("stream 0, RUNNING, takes no samples: does QEMU's audiodev work?")
MASTER = "control 0 'Master Playback Volume': "


def _no_answer(name):
    return _timed_out(f"{name}: no answer in 1000 ms")


# By name of the fault: what a program sees that plays, records (names with -rx) or uses all
# controls. Where the transports differ: {"modern": ..., "legacy": ...}.
OUTCOMES = {
    "used-idx-jumps": _eio("queue 2: device returned more chains than it has: 4000 of 4"),
    "used-idx-back": _eio("queue 2: device returned more chains than it has: 65533 of 4"),
    "used-idx-jumps-rx": _eio("queue 3: device returned more chains than it has: 4000 of 4"),
    "used-idx-jumps-control": _eio("queue 0: device returned more chains than it has: 9 of 1"),
    "used-idx-jumps-event": _eio("queue 1: device returned more chains than it has: 40000 of 8"),
    "used-id-64": _eio("queue 2: device returned chain 64, which is not its"),
    "used-id-huge": _eio("queue 2: device returned chain 4294967295, which is not its"),
    "used-id-huge-rx": _eio("queue 3: device returned chain 4294967295, which is not its"),
    "used-id-huge-control": _eio("queue 0: device returned chain 4294967295, which is not its"),
    "used-id-high-bits": _eio("queue 2: device returned chain 65537, which is not its"),
    "used-id-repeated": _eio("queue 2: device returned chain 1, which is not its"),
    "used-id-repeated-rx": _eio("queue 3: device returned chain 1, which is not its"),
    "used-id-repeated-control": _eio("queue 0: device returned more chains than it has: 2 of 1"),
    "used-id-middle": _eio("queue 2: device returned chain 2, which is not its"),
    "used-id-unknown": _eio("queue 2: device returned chain 40, which is not its"),
    "used-len-long": _eio("queue 2: device wrote 9 bytes to a chain that takes 8"),
    "used-len-huge": _eio("queue 2: device wrote 4294967295 bytes to a chain that takes 8"),
    "used-len-huge-rx": _eio("queue 3: device wrote 4294967295 bytes to a chain that takes 1928"),
    "used-len-huge-control": _eio(
        "queue 0: device wrote 4294967295 bytes to a chain that takes 52"
    ),
    "used-len-zero": _eio("stream 0: device wrote 0 bytes of status, not 8"),
    "used-len-short": _eio("stream 0: device wrote 7 bytes of status, not 8"),
    "used-len-short-rx": _eio("stream 1: device wrote 7 bytes, less than a status of 8"),
    "used-len-zero-control": _eio("JACK_INFO: 0 bytes answered, no status"),
    "used-len-short-control": _eio("JACK_INFO: 3 bytes answered, no status"),
    "descriptors-overwritten": PLAYED,
    "descriptors-overwritten-control": PLAYED,
    "used-entry-changes": PLAYED,
    "used-entry-changes-rx": RECORDED,
    "used-entry-changes-control": PLAYED,
    "answer-changes": PLAYED,
    "answer-status-unknown": _eio("PCM_START: unknown status 0x8004"),
    "answer-status-zero": _eio("PCM_PREPARE: unknown status 0x0"),
    "answer-status-huge": _eio("PCM_INFO: unknown status 0xffffffff"),
    "answer-io-err": _eio("PCM_SET_PARAMS: IO_ERR: the device failed"),
    "samples-refused": _eio("stream 0: device refused data with status 0x8003"),
    "samples-status-unknown": _eio("stream 0: device refused data with status 0xffffffff"),
    "answer-short": _eio("PCM_INFO: 20 bytes answered, 68 wanted"),
    "answer-without-records": _eio("PCM_INFO: 4 bytes answered, 68 wanted"),
    "answer-short-controls": _eio("CTL_READ: 4 bytes answered, 12 wanted"),
    "no-answer-info": _no_answer("PCM_INFO"),
    "no-answer-params": _no_answer("PCM_SET_PARAMS"),
    "no-answer-prepare": _no_answer("PCM_PREPARE"),
    "no-answer-start": _no_answer("PCM_START"),
    "no-answer-stop": _no_answer("PCM_STOP"),
    "no-answer-release": _no_answer("PCM_RELEASE"),
    "no-answer-control": _no_answer("CTL_READ"),
    "answer-late": _no_answer("JACK_INFO"),
    "answer-after-reset": _no_answer("JACK_INFO"),
    "samples-never-back": TAKES_NOTHING,
    "samples-never-back-rx": _timed_out(
        "stream 1, RUNNING, gives no samples: does QEMU's audiodev record?"
    ),
    "samples-late": PLAYED,
    "samples-after-reset": TAKES_NOTHING,
    "release-keeps-buffers": _timed_out(
        "stream 0, SETUP, gave no buffers back after PCM_RELEASE"
    ),
    "streams-huge": _eio("device claims 4294967295 streams: no more than 256 are believed"),
    "jacks-huge": _eio("device claims 4294967295 jacks: no more than 256 are believed"),
    "chmaps-huge": _eio("device claims 4294967295 channel maps: no more than 256 are believed"),
    "controls-huge": _eio(
        "device claims 4294967295 control elements: no more than 1024 are believed"
    ),
    "streams-none": NO_OUTPUT,
    "channels-zero": NO_OUTPUT,
    "channels-reversed": NO_OUTPUT,
    "formats-none": NO_OUTPUT,
    "formats-unknown": NO_OUTPUT,
    "rates-none": NO_OUTPUT,
    "direction-unknown": NO_OUTPUT,
    "chmap-too-long": LEFT_OUT,
    "chmap-longest": LEFT_OUT,
    "chmap-empty": LEFT_OUT,
    "chmap-position-unknown": "every frame is played; the map says `position 99`",
    "chmap-direction-unknown": LEFT_OUT,
    "control-type-unknown": LEFT_OUT,
    "control-count-zero": LEFT_OUT,
    "control-count-huge": LEFT_OUT,
    "control-name-endless": "every frame is played; the name ends after 44 characters",
    "control-name-garbage": "every frame is played; the name has `?` instead",
    "control-range-reversed": LEFT_OUT,
    "control-items-huge": LEFT_OUT,
    "control-items-endless": "nothing: each name ends after 64 characters",
    "control-value-unknown": _eio("control 1 'Source' has item 4294967295: there are 0..1"),
    "tlv-too-long": _eio(MASTER + "TLV of type 0x1 has 4294967292 bytes, 504 came"),
    "tlv-odd": _eio(MASTER + "TLV of type 0x1 has 7 bytes: must be a multiple of 4"),
    "tlv-short": _eio(MASTER + "TLV ends within a header"),
    "tlv-deep": _eio(MASTER + "TLV has more than 4 levels"),
    "event-short": PLAYED,
    "event-empty": PLAYED,
    "event-long": _eio("queue 1: device wrote 4294967295 bytes to a chain that takes 8"),
    "event-unknown": PLAYED,
    "event-jack-unknown": PLAYED,
    "event-stream-unknown": PLAYED,
    "event-not-selected": PLAYED,
    "event-control-unknown": PLAYED,
    "event-flood": "every frame is played; about 32 events are taken in 10 ms, the last 32 kept",
    "interrupt-flood": PLAYED,
    "config-flood": PLAYED,
    "latency-huge": "every frame is played; drain() waits a second for the rest",
    "recorded-too-much": _eio("queue 3: device wrote 1929 bytes to a chain that takes 1928"),
    "recorded-odd": "every whole frame is recorded",
    "done-before-start": PLAYED,
    "order": "every frame is played, in the device's order",
    "interrupt-for-nothing": PLAYED,
    "interrupts-lost": SLOWLY,
    "interrupt-unknown": SLOWLY,
    "reset-never-ends": _timed_out("device at 0x10008000: Status is not 0 after reset"),
    "queue-in-use": {"modern": IN_USE},
    "queue-in-use-legacy": {"legacy": IN_USE},
    "queue-missing": _enodev("device at 0x10008000 has no queue 2"),
    "queue-size-odd": PLAYED,
    "queue-size-one": _error(28, "ENOSPC", "queue 0 has 1 descriptors, and no 2 of them free"),
    "queue-size-huge": PLAYED,
    "features-refused": {
        "modern": _error(
            95, "EOPNOTSUPP",
            "device at 0x10008000 offers features 0x130000001 and refuses 0x130000001 of them",
        )
    },
    "version-1-missing": {
        "modern": _error(
            95, "EOPNOTSUPP", "device at 0x10008000 does not offer VIRTIO_F_VERSION_1"
        ),
        "legacy": PLAYED,
    },
    "needs-reset-at-open": RECOVERED,
    "needs-reset-at-params": RECOVERED,
    "needs-reset-at-start": RECOVERED,
    "needs-reset-at-stop": RECOVERED,
    "needs-reset": RECOVERED,
    "needs-reset-rx": RECOVERED,
    "config-changes": {"modern": CONFIG},
    "config-changes-legacy": {"legacy": CONFIG},
    "jack-info-not-supp": "every frame is played; there are no jacks",
    "jack-info-bad-msg": "every frame is played; there are no jacks",
    "chmap-info-not-supp": "every frame is played; there are no channel maps",
    "chmap-info-bad-msg": "every frame is played; there are no channel maps",
    "ctl-info-not-supp": "every frame is played; there are no controls",
    "ctl-info-bad-msg": "every frame is played; there are no controls",
    "gone": _eio("device at 0x10008000 is gone: Status has all bits"),
    "gone-at-open": NO_DEVICE,
    "magic-wrong": NO_DEVICE,
    "version-unknown": NO_DEVICE,
}


def cases():
    """Yield (fault, transport, outcome) for each that there is."""
    for name, outcome in OUTCOMES.items():
        for transport in ("modern", "legacy"):
            if not isinstance(outcome, dict):
                yield FAULTS[name], transport, outcome
            elif transport in outcome:
                yield FAULTS[name], transport, outcome[transport]


INTRODUCTION = """\
# Robustness

What happens when the device is hostile, broken, or gone. Each row is a fault that
[host/virtsnd](device.md#faults-by-name) injects into an otherwise good device while a program
opens the card and plays 14 periods (`-rx`: records them; CTL requests: reads and writes all
controls; RELEASE: drops what is queued). "What the user sees" is the last line that the program
prints if it catches nothing.

Each fault is injected on both transports, modern virtio-mmio and legacy, by
[tests/unit/test_robustness_faults.py](../tests/unit/test_robustness_faults.py), a test per fault
and transport: `test_what_the_user_sees[NAME-TRANSPORT]`. It asserts

- that line, to the letter, or that nothing is lost;
- that every wait has ended, within 15 s of simulated time at the most;
- that nothing was written outside the arena: the simulated machine refuses any such write, and
  the arena around the driver's regions still holds what it held at power-on;
- that after `card.reset()`, and again after `close()` and `vsnd.open()`, sound is played and
  recorded, exact to the byte, and that the arena has all its bytes back.

The same device meets programs that do more:

- [test_robustness_calls.py](../tests/unit/test_robustness_calls.py): recording, playing and
  recording at once, streams that do not block, callbacks, asyncio, drain, pause, tokens, controls
  and events, two cards of which one is hostile;
- [test_robustness_interrupts.py](../tests/unit/test_robustness_interrupts.py): Ctrl-C, and memory
  that runs out, at any place of the driver;
- [test_robustness_arguments.py](../tests/unit/test_robustness_arguments.py): wrong arguments,
  closed streams and cards;
- [test_robustness_sequences.py](../tests/unit/test_robustness_sequences.py): sequences of calls
  and faults that nobody wrote down. Hypothesis makes 300 of them, up to 33 steps each, and
  compares with a model of state, position and sound; `EXAMPLES=10000` in the environment makes
  more. Those that found something are in [corpus.py](../tests/unit/corpus.py);
- [test_robustness_device.py](../tests/device/test_robustness_device.py): the real firmware, with
  44 of these faults in one boot.

Two things are as they must be. `select.poll` and asyncio's `StreamReader` and `StreamWriter` wait
as long as they are told to; the timeout of `poll()` and `asyncio.wait_for()` end that. And a
device that says nothing of a loss, such as one that plays noise, is believed.

Any fault can be had for a driver of your own: `python -m virtsnd SOCKET --fault NAME`.

This page is made by `make robustness`, from the table that the tests compare with what they see.
"""


def page():
    """The text of docs/robustness.md."""
    lines = [INTRODUCTION, f"## Faults: {len(FAULTS)}", ""]
    lines += ["| | fault | name | what the user sees | transport |"]
    lines += ["|---|---|---|---|---|"]
    for number, reaction in REACTIONS.items():
        lines.append(f"| **{number}** | **{reaction}** | | | |")
        for name, fault in FAULTS.items():
            if fault.id == number:
                lines += _rows(fault, OUTCOMES[name])
    return "\n".join(lines) + "\n"


def _rows(fault, outcome):
    if not isinstance(outcome, dict):
        outcome = {"both": outcome}
    for transport, seen in outcome.items():
        seen = f"`{seen}`" if seen.startswith("OSError") else seen
        yield f"| {fault.id} | {fault.text} | `{fault.name}` | {seen} | {transport} |"


# QueueReady and ConfigGeneration are registers of one transport, FEATURES_OK too.
ONE_TRANSPORT = {
    name for name, fault in FAULTS.items()
    if isinstance(fault.where, Register) and fault.where.name in (
        "QueueReady", "QueuePFN", "ConfigGeneration"
    )
} | {"features-refused", "config-changes-legacy"}


if __name__ == "__main__":
    sys.stdout.write(page())
