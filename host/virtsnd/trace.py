# SPDX-License-Identifier: MIT
"""What happens between driver and device, one readable line for each thing.

    12.345678 control > SET_PARAMS stream 0: buffer 7680, period 1920, 2 channels, S16, 48000 Hz

is the time in seconds, where, `>` to the device or `<` to the driver, and what.
"""

import struct

from .protocol import (
    CTL_NOTIFY, EVENTS, FEATURES, FORMATS, INPUT, MASKS, PCM_FEATURES, QUEUES, RATES, RXQ,
    STATUSES, name_of, named,
)

_QUERIES = ("JACK_INFO", "PCM_INFO", "CHMAP_INFO", "CTL_INFO")


class NoTrace:
    """Takes whatever a Trace takes, and writes nothing."""

    def __getattr__(self, name):
        return lambda *what: None


class Trace:
    """A trace into `out`, a list or an open text file. device.trace = Trace(...) starts it."""

    def __init__(self, out):
        self.out = out
        self.device = None

    def line(self, where, text):
        line = f"{self.device.clock.now / 1e6:12.6f} {where:9} {text}"
        if isinstance(self.out, list):
            self.out.append(line)
        else:
            print(line, file=self.out, flush=True)

    # The device

    def reset(self):
        self.line("device", "reset")

    def started(self, features):
        self.line("device", f"DRIVER_OK, features {_words(named(features, FEATURES))}")

    def queue(self, index, size):
        self.line("device", f"queue {index}, {size} descriptors")

    def changed(self, totals):
        words = zip(totals, ("jacks", "streams", "channel maps", "controls"))
        self.line("device", "changed: " + ", ".join(f"{n} {what}" for n, what in words))

    def kick(self, index):
        self.line(QUEUES[index], "kick")

    def breach(self, breach):
        if not breach.traced:
            breach.traced = True
            self.line("BREACH", str(breach))

    # Messages

    def request(self, name, request):
        try:
            text = self._details(name, request)
        except struct.error:  # too short for what it should be
            text = request[4:].hex(" ", 4)
        self.line("control >", f"{name} {text}")

    def _details(self, name, request):
        if name in _QUERIES:
            return "start %d, count %d, size %d" % struct.unpack_from("<III", request, 4)
        if name == "SET_PARAMS":
            return _params(request)
        if name == "JACK_REMAP":
            fields = struct.unpack_from("<III", request, 4)
            return "jack %d: association %d, sequence %d" % fields
        (id,) = struct.unpack_from("<I", request, 4)
        if not name.startswith("CTL_"):
            return f"stream {id}"
        text = f"control {id}"
        controls = self.device.sound.controls
        if id < len(controls):
            text += f" {controls[id].name!r}"
            if name == "CTL_WRITE":
                return f"{text}: {_value(controls[id].unpack(request[8:]))}"
        if len(request) > 8:
            text += f": {_shortened(request[8:])}"
        return text

    def answer(self, name, answer):
        if answer is None:
            self.line("control <", f"{name}: no answer")
            return
        text = _status(answer[:4])
        if len(answer) > 4:
            text += f", {len(answer) - 4} bytes"
        self.line("control <", f"{name}: {text}")

    def data(self, stream, data):
        n = stream.period_bytes if stream.QUEUE == RXQ else len(data) - 4
        text = f"stream {stream.id}, {n} bytes, {len(stream.pending)} queued"
        self.line(f"{QUEUES[stream.QUEUE]} >", text)

    def done(self, stream, status, latency, length):
        text = f"stream {stream.id}, {name_of(status, STATUSES)}, latency {latency}"
        if stream.QUEUE == RXQ:
            text += f", {length - 8} bytes"
        self.line(f"{QUEUES[stream.QUEUE]} <", text)

    def xrun(self, stream):
        what = "overrun" if stream.info.direction == INPUT else "underrun"
        self.line(QUEUES[stream.QUEUE], f"stream {stream.id}, {what}")

    def event(self, code, data, fate):
        what = {0x10: "jack", 0x11: "stream"}.get(code >> 8, "data")
        text = f"{what} {data:#x}" if what == "data" else f"{what} {data}"
        if code == CTL_NOTIFY:
            text = f"control {data & 0xFFFF}: {_words(named(data >> 16, MASKS))}"
        self.line("event <", f"{name_of(code, EVENTS)} {text}{fate}")


def _words(names):
    return " ".join(names) or "none"


def _params(request):
    stream, buffer, period, features = struct.unpack_from("<IIII", request, 4)
    channels, format, rate = struct.unpack_from("<BBB", request, 20)
    text = f"stream {stream}: buffer {buffer}, period {period}, {channels} channels, "
    text += f"{name_of(format, FORMATS)}, {name_of(rate, RATES)} Hz"
    return text + (f", {_words(named(features, PCM_FEATURES))}" if features else "")


def _status(code):
    if len(code) < 4:
        return f"no status, {len(code)} bytes"
    return name_of(int.from_bytes(code, "little"), STATUSES)


def _value(value):
    return _shortened(value) if isinstance(value, bytes) else " ".join(map(str, value))


def _shortened(data):
    return data[:16].hex(" ") + (f" ... {len(data)} bytes" if len(data) > 16 else "")
