# SPDX-License-Identifier: MIT
"""A driver that puts bytes into memory, right or wrong ones. It shares no code with modules/."""

import struct

import pytest

from virtsnd import (
    CONTROLQ, EVENTQ, RXQ, TXQ, VERSION_1, Breach, Clock, Memory, MmioTransport, SoundDevice,
    StreamInfo, breaches,
)
from virtsnd.mmio import REGISTERS

OFFSETS = {name: offset for offset, (name, _) in REGISTERS.items()}
RAM = 0x8000_0000
RAM_BYTES = 1 << 20
SIZE = 16  # of every queue

PREPARE, RELEASE, START, STOP = range(0x102, 0x106)
PERIOD, PERIOD_US = 480, 2500  # of the stream that params() sets up

NEXT, WRITE, INDIRECT = 1, 2, 4
READABLE, WRITABLE = False, True


class Queue:
    """The driver's side of a split ring: where its parts are, and how far it has come."""

    def __init__(self, driver, index, size):
        self.driver = driver
        self.memory = driver.memory
        self.index = index
        self.size = size
        self.desc = driver.alloc(16 * size)
        self.avail = driver.alloc(6 + 2 * size)
        self.used = driver.alloc(6 + 8 * size)
        self.free = 0  # the next descriptor, round and round
        self.next = 0  # avail.idx
        self.seen = 0  # used.idx

    def describe(self, at, address, n, flags, following=0, table=None):
        """Write one descriptor."""
        entry = (self.desc if table is None else table) + 16 * at
        self.memory.write(entry, struct.pack("<QIHH", address, n, flags, following))

    def chain(self, parts):
        """Lay out descriptors for [(address, bytes, writable)]; return the head."""
        head = self.free
        for k, (address, n, writable) in enumerate(parts):
            last = k == len(parts) - 1
            flags = WRITE * writable | NEXT * (not last)
            at, following = (head + k) % self.size, (head + k + 1) % self.size
            self.describe(at, address, n, flags, 0 if last else following)
        self.free = (head + len(parts)) % self.size
        return head

    def table(self, parts):
        """The same in an indirect table, behind one descriptor."""
        table = self.driver.alloc(16 * len(parts))
        for k, (address, n, writable) in enumerate(parts):
            last = k == len(parts) - 1
            flags = WRITE * writable | NEXT * (not last)
            self.describe(k, address, n, flags, 0 if last else k + 1, table)
        head = self.free
        self.describe(head, table, 16 * len(parts), INDIRECT)
        self.free = (head + 1) % self.size
        return head

    def publish(self, head):
        """Put a head into the available ring."""
        slot = self.avail + 4 + 2 * (self.next % self.size)
        self.memory.set_word(slot, 2, head)
        self.next = (self.next + 1) & 0xFFFF
        self.memory.set_word(self.avail + 2, 2, self.next)

    def returned(self):
        """[(head, length)] of what came back since the last call."""
        new = []
        while self.seen != self.memory.word(self.used + 2, 2):
            entry = self.used + 4 + 8 * (self.seen % self.size)
            new.append(struct.unpack("<II", self.memory.read(entry, 8)))
            self.seen = (self.seen + 1) & 0xFFFF
        return new


class Driver:
    """A machine with one sound device, made with the options of SoundDevice, and its driver.

    up() brings the device to DRIVER_OK with the features `accepted`: all that it offers.
    """

    def __init__(self, **options):
        breaches.clear()
        self.clock = Clock()
        self.memory = Memory()
        self.memory.add_ram(RAM, bytearray(RAM_BYTES))
        self._end = RAM
        options.setdefault("features", VERSION_1)
        self.device = SoundDevice(self.clock, self.memory, **options)
        self.device.events.wanted = False  # few of the tests need any
        self.page = MmioTransport(self.device)
        self.accepted = options["features"]

    def alloc(self, n):
        address = self._end
        self._end += (n + 15) & ~15
        assert self._end <= RAM + RAM_BYTES
        return address

    def bytes(self, data):
        """The address of a copy of some bytes."""
        address = self.alloc(len(data))
        self.memory.write(address, data)
        return address

    # Registers

    def get(self, name):
        return self.page.read(OFFSETS[name], 4)

    def put(self, name, value):
        self.page.write(OFFSETS[name], 4, value)

    def config(self, at):
        self.get("ConfigGeneration")
        value = self.page.read(0x100 + at, 4)
        self.get("ConfigGeneration")
        return value

    def status(self, bit):
        self.put("Status", self.get("Status") | bit)

    # The handshake (3.1.1), step by step

    def identify(self):
        for name in ("MagicValue", "Version", "DeviceID"):
            self.get(name)

    def reset(self):
        self.put("Status", 0)
        self.get("Status")
        self.queues = {}

    def acknowledge(self):
        self.identify()
        self.reset()
        self.status(1)
        self.status(2)

    def accept(self, features):
        for sel in (0, 1):
            self.put("DriverFeaturesSel", sel)
            self.put("DriverFeatures", features >> 32 * sel & 0xFFFFFFFF)
        self.status(8)
        return self.get("Status") & 8

    def add_queue(self, index, size=SIZE):
        self.queues[index] = queue = Queue(self, index, size)
        self.put("QueueSel", index)
        self.get("QueueReady")
        self.put("QueueSize", size)
        parts = ("Desc", queue.desc), ("Driver", queue.avail), ("Device", queue.used)
        for name, address in parts:
            self.put(f"Queue{name}Low", address & 0xFFFFFFFF)
            self.put(f"Queue{name}High", address >> 32)
        self.put("QueueReady", 1)
        return queue

    def up(self):
        self.acknowledge()
        assert self.accept(self.accepted)
        for index in (CONTROLQ, EVENTQ, TXQ, RXQ):
            self.add_queue(index)
        self.status(4)
        return self

    # Messages

    def send(self, index, *parts):
        """Publish a chain of (address, bytes, writable), and kick; return its head."""
        queue = self.queues[index]
        head = queue.chain(parts)
        queue.publish(head)
        self.put("QueueNotify", index)
        return head

    def request(self, message, room=4):
        """Send bytes on the control queue; return the answer's bytes."""
        if not isinstance(message, bytes):
            message = struct.pack(f"<{len(message)}I", *message)
        into = self.alloc(room)
        head = self.send(
            CONTROLQ, (self.bytes(message), len(message), READABLE), (into, room, WRITABLE)
        )
        self.clock.run(100)
        answered = dict(self.queues[CONTROLQ].returned())
        assert head in answered, "no answer"
        return self.memory.read(into, answered[head])

    def ask(self, message, room=4):
        """A request that has to be answered OK; return what follows the status."""
        answer = self.request(message, room)
        assert answer[:4] == b"\x00\x80\x00\x00", answer[:4].hex()
        return answer[4:]

    def refused(self, status, message, room=4):
        assert self.request(message, room) == struct.pack("<I", status)

    def play(self, stream, data):
        """Queue samples; return (head, address of the status)."""
        header, samples = self.bytes(struct.pack("<I", stream)), self.bytes(data)
        status = self.alloc(8)
        parts = (header, 4, READABLE), (samples, len(data), READABLE), (status, 8, WRITABLE)
        return self.send(TXQ, *parts), status

    def record(self, stream, n):
        """Queue an empty buffer; return (head, its address, address of the status)."""
        into, status = self.bytes(b"\xee" * n), self.bytes(b"\xee" * 8)
        header = self.bytes(struct.pack("<I", stream))
        head = self.send(RXQ, (header, 4, READABLE), (into, n, WRITABLE), (status, 8, WRITABLE))
        return head, into, status

    def listen(self, count=4):
        """Queue buffers for events; return their addresses."""
        where = [self.alloc(8) for _ in range(count)]
        self._listening = {self.send(EVENTQ, (at, 8, WRITABLE)): at for at in where}
        self.clock.run(100)
        return where

    def events(self):
        """The bytes of all events that came."""
        self.clock.run(100)
        came = self.queues[EVENTQ].returned()
        return [self.memory.read(self._listening[head], min(n, 8)) for head, n in came]

    # Time and streams

    def start(self, stream=0):
        """START; wait() counts from when the device saw it."""
        self.ask((START, stream))
        # That was 20 µs after the kick, and request() let 100 µs pass.
        self.started = self.clock.now - 80

    def wait(self, until):
        """Let time pass until so many microseconds after START."""
        self.clock.run(until - (self.clock.now - self.started))

    def stream(self, id=0):
        """The device's stream."""
        return self.device.sound.streams[id]

    def status_at(self, address):
        """The (status, latency_bytes) that the device wrote there."""
        return struct.unpack("<II", self.memory.read(address, 8))

    # Judgement

    def breach(self, name, call, *arguments):
        """The call, or what the device does because of it, must break the rule `name`."""
        with pytest.raises(Breach, match=f"^{name}: "):
            call(*arguments)
            self.clock.run(100)
        assert breaches.pop().args[0].startswith(name)
        assert not breaches


def params(stream=0, buffer=1920, period=480, features=0, channels=2, format=5, rate=7, padding=0):
    """SET_PARAMS: four periods of 120 frames, S16, 48000 Hz."""
    return struct.pack(
        "<IIIIIBBBB", 0x101, stream, buffer, period, features, channels, format, rate, padding
    )


def samples(n, start=0):
    """n bytes, different for each start."""
    return bytes((start + 7 * i + i // 256) & 0xFF for i in range(n))


def prepared(*streams, **selected):
    """A Driver whose stream 0 is prepared: prepared(StreamInfo(), features=...)."""
    driver = Driver(streams=streams or (StreamInfo(),)).up()
    driver.ask(params(**selected))
    driver.ask((PREPARE, 0))
    return driver
