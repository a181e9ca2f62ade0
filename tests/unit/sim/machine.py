# SPDX-License-Identifier: MIT
"""The modules of MicroPython that the drivers import, over a simulated machine."""

import ctypes
import functools
import importlib.util
import io
import pathlib
import struct
import sys
import time
import types
from importlib.machinery import FileFinder, SourceFileLoader
from unittest import mock

from virtsnd.clock import Clock
from virtsnd.memory import Memory

MODULES = pathlib.Path(__file__).resolve().parents[3] / "modules"

ARENA = 0x8800_0000
HEAP = 0x8100_0000
VIRTIO_BASE = 0x1000_1000
VIRTIO_STRIDE = 0x1000
VIRTIO_SLOTS = 8
VIRTIO_IRQ = 1

SCHEDULE_DEPTH = 8

GUARD = 0xA5  # what the arena is full of at power-on

_SPINS = 20_000  # so many looks at a ring, while no time passes, and it is an endless loop


class Loader(SourceFileLoader):
    """Compiles a file once, however often the tests import it anew."""

    get_code = functools.cache(SourceFileLoader.get_code)


def _finder(folder):
    if pathlib.Path(folder).parent != MODULES:
        raise ImportError(f"{folder} is no package of the board's")
    return FileFinder(folder, (Loader, [".py"]))


sys.path_hooks.insert(0, _finder)


class _Buffer(ctypes.Structure):  # Py_buffer
    _fields_ = [("buf", ctypes.c_void_p), ("rest", ctypes.c_byte * 256)]


def _real_address(buf):
    """Where a bytes-like object lies in the memory of this process."""
    view = _Buffer()
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(buf), ctypes.byref(view), 0)
    address = view.buf
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
    return address


def _bytes_of(buf):
    return memoryview(buf).cast("B")


class _Mem:
    """machine.mem8, mem16 or mem32."""

    def __init__(self, memory, n):
        self._memory = memory
        self._n = n

    def _check(self, address):
        if address % self._n:
            raise ValueError("address %08x is not aligned to %d bytes" % (address, self._n))

    def __getitem__(self, address):
        self._check(address)
        return self._memory.load(address, self._n)

    def __setitem__(self, address, value):
        self._check(address)
        self._memory.store(address, self._n, value)


class _Empty:
    """A virtio-mmio slot with nothing in it: DeviceID is 0."""

    def read(self, offset, n):
        return {0x000: 0x74726976, 0x004: 2, 0x008: 0}[offset]


class Board:
    """The simulated machine. modules() gives what `import` would find on it."""

    def __init__(self, arena_bytes=1 << 20, bootargs=""):
        self.clock = Clock()
        self.memory = Memory()
        self.arena = bytearray([GUARD]) * arena_bytes
        self.memory.add_ram(ARENA, self.arena)
        self.bootargs = bootargs
        self.exits = []
        self.reset_cause = 1
        self._heap = {}  # by real address and size: (simulated address, the object)
        self._heap_end = HEAP
        self._handlers = {}  # by source: (handler, None or (status, ack, mask, wanted, watch))
        self._bits = {}  # by source: acknowledged since the handler ran last
        self._seen = {}  # by source: the word at `watch`
        self._lines = {}  # by source: whether the line is high
        self._claimed = []  # sources whose Python handler is due
        self._handled = False  # as in virt_irq.c, for wait()
        self._interrupted = False  # the processor was, since it went to sleep
        self._scheduled = []  # (function, argument)
        self._soft = []  # callbacks of timers that are due
        self._locked = False  # one of them, or a handler, is running
        self._locks = 0  # `with virt.lock` that are entered
        self._at_reset = None
        self._spins = 0, 0
        for slot in range(VIRTIO_SLOTS):
            self.put(slot)

    # Hardware

    def put(self, slot, page=None):
        """Put a register page into a virtio-mmio slot; return its base and interrupt source."""
        page = page or _Empty()
        base = VIRTIO_BASE + slot * VIRTIO_STRIDE
        self.memory.remove_page(base)
        self.memory.add_page(base, 0x200, page)
        return base, VIRTIO_IRQ + slot

    def line(self, source):
        """The function by which a device moves its interrupt line."""

        def raised(level):
            self._lines[source] = level
            self._claim(source)

        return raised

    def _claim(self, source):
        # The interrupt handler in C: ports/riscv/virt_irq.c, virt_irq().
        while self._lines.get(source) and source in self._handlers and source not in self._claimed:
            handler, level = self._handlers[source]
            self._interrupted = True
            if level is None:
                self._claimed.append(source)
                return
            status, ack, mask, wanted, watch = level
            bits = self.memory.load(status, 4) & mask
            self._claimed.append(source)  # the line cannot interrupt again before it is completed
            self.memory.store(ack, 4, bits)
            self._handled = True
            self._bits[source] = self._bits.get(source, 0) | bits
            word = self.memory.load(watch, 2) if watch else 0
            moved, self._seen[source] = word != self._seen[source], word
            if bits & wanted or moved:
                return
            if bits == 0 and self.memory.load(status, 4):
                del self._handlers[source]
            self._claimed.remove(source)

    def _dispatch(self):
        # Returns whether something ran.
        ran = False
        locked, self._locked = self._locked, True
        while self._claimed:
            source = self._claimed[0]
            if source in self._handlers:
                ran = True
                handler, level = self._handlers[source]
                handler(source, *([] if level is None else [self._bits.pop(source, 0)]))
            if source in self._claimed:
                self._claimed.remove(source)
            self._handled = True
            self._claim(source)
        while (self._soft or self._scheduled) and not locked and not self._locks:
            if self._soft:
                self._soft.pop(0)(None)
                continue
            function, argument = self._scheduled.pop(0)
            ran = True
            function(argument)
        self._locked = locked
        return ran

    def _schedule(self, function, argument):
        if len(self._scheduled) == SCHEDULE_DEPTH:
            raise RuntimeError("schedule queue full")
        self._scheduled.append((function, argument))

    def _timer(self, id=-1, *, mode, period, callback):
        """machine.Timer: soft, `period` in ms; what it returns is its deinit()."""
        armed = True

        def due():
            nonlocal armed
            if armed:
                self._soft.append(callback)
                self._interrupted = True
                if armed := mode == 1:
                    self.clock.at(self.clock.now + 1000 * period, due)

        def deinit():
            nonlocal armed
            armed = False

        self.clock.at(self.clock.now + 1000 * period, due)
        return deinit

    def spinning(self):
        """Called for every look at memory that a device changes."""
        when, count = self._spins
        self._spins = self.clock.now, count + 1 if when == self.clock.now else 0
        assert self._spins[1] < _SPINS, "endless loop: it looks at a ring and never sleeps"

    def soft_reset(self):
        """What the end of a program does, up to the new interpreter."""
        function, self._at_reset = self._at_reset, None
        if function is not None:
            function()
        self._handlers.clear()

    # Modules

    def modules(self):
        """The modules by name."""
        memory = self.memory
        board = self

        class Timer:
            ONE_SHOT, PERIODIC = 0, 1

            def __init__(self, *arguments, **named):
                self.deinit = board._timer(*arguments, **named)

        tables = {
            "machine": {f"mem{8 * n}": _Mem(memory, n) for n in (1, 2, 4)}
            | {"Timer": Timer, "reset_cause": lambda: self.reset_cause, "PWRON_RESET": 1},
            "micropython": {"const": lambda x: x, "schedule": self._schedule},
            "io": vars(io) | {"IOBase": object},
            "uctypes": {"addressof": self._addressof},
            "time": vars(time) | {
                "ticks_ms": lambda: int(self.clock.now) // 1000 & 0x3FFFFFFF,
                "ticks_us": lambda: int(self.clock.now) & 0x3FFFFFFF,
                "ticks_add": lambda ticks, n: (ticks + n) & 0x3FFFFFFF,
                "ticks_diff": lambda a, b: ((a - b + 0x20000000) & 0x3FFFFFFF) - 0x20000000,
                "sleep_ms": lambda ms: self._sleep(ms * 1000),
                "sleep_us": self._sleep,
            },
            # MicroPython's unpack() takes what it needs and lets the rest be.
            "struct": vars(struct) | {"unpack": lambda f, buf: struct.unpack_from(f, buf)},
            "virt": self._virt(),
        }
        modules = {}
        for name, table in tables.items():
            modules[name] = module = types.ModuleType(name)
            vars(module).update(table, __name__=name)
        return modules

    def installed(self):
        """A context in which `import` finds the modules, and no driver that others loaded."""
        return mock.patch.dict(sys.modules, self.modules())

    def load(self, name):
        """Import a package of the folder modules/ anew. Only within installed()."""
        for loaded in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            del sys.modules[loaded]
        folder = MODULES / name
        loader = Loader(name, str(folder / "__init__.py"))
        spec = importlib.util.spec_from_loader(name, loader, is_package=True)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _addressof(self, buf):
        real = _real_address(buf)
        offset = real - _real_address(self.arena)
        if 0 <= offset < len(self.arena):
            return ARENA + offset
        view = _bytes_of(buf).toreadonly()
        key = real, len(view)
        if key not in self._heap:
            self._heap[key] = self._heap_end, buf
            self.memory.add_ram(self._heap_end, view, writable=False)
            self._heap_end += (len(view) + 31) & ~15
        return self._heap[key][0]

    def _sleep(self, us):
        deadline = self.clock.now + us
        self._dispatch()
        while self.clock.now < deadline:
            self.clock.step(deadline)
            self._dispatch()
        self.clock.run(0)
        self._dispatch()

    # Module virt: ports/riscv/modvirt.c, virt_*.c

    def _virt(self):
        memory = self.memory

        def span(buf, at, n, what):
            view = _bytes_of(buf)
            if n < 0 or at < 0 or at + n > len(view):
                raise ValueError(f"{what}: offset and length must lie within the buffer")
            return view[at : at + n]

        def copy(to, to_at, from_, from_at, n):
            span(to, to_at, n, "copy")[:] = span(from_, from_at, n, "copy")

        def fill(buf, at, n, value):
            span(buf, at, n, "fill")[:] = bytes([value & 0xFF]) * n

        def equal(a, a_at, b, b_at, n, *more):
            same = span(a, a_at, n, "equal") == span(b, b_at, n, "equal")
            return same and (not more or equal(a, *more))

        def load(address, n, align):
            assert address % align == 0, f"{address:#x} is not aligned"
            self.spinning()
            return memory.load(address, n)

        def store16(address, value, offset=0):
            old = load(address + offset, 2, 2)
            memory.store(address + offset, 2, value)
            return old

        def pass16(address, value, mark):
            old = store16(address, value)
            return (load(mark, 2, 2) - old) & 0xFFFF < (value - old) & 0xFFFF

        def store64(address, *words):
            for i, word in enumerate(words):
                memory.store(address + 8 * i, 4, word & 0xFFFFFFFF)
                memory.store(address + 8 * i + 4, 4, word >> 32)

        def store_addresses(addresses, first, n, buf, at, step):
            if not 0 <= first <= first + n <= len(addresses):
                raise ValueError("first and n must lie within the addresses")
            for address in addresses[first : first + n]:
                span(buf, at, 0, "store_addresses")
                store64(address, self._addressof(buf) + at)
                at += step

        class Lock:
            def __enter__(lock):
                self._locks += 1

            def __exit__(lock, *exception):
                self._locks -= 1

        def wait16(address, value, ms):
            assert self._locks, "wait16 not in a `with lock`"
            deadline = self.clock.now + max(ms, 0) * 1000
            self._locks -= 1
            try:
                ran = self._dispatch()
                while load(address, 2, 2) == value & 0xFFFF and self.clock.now < deadline:
                    self._interrupted = False
                    while not self._interrupted and self.clock.now < deadline:
                        self.clock.step(deadline)
                    ran |= self._dispatch()
            finally:
                self._locks += 1
            return (load(address, 2, 2) - value & 0xFFFF) + (ran and 0x10000)

        def sleep16(address, value, ms):
            assert self._locks, "sleep16 not in a `with lock`"
            deadline = self.clock.now + max(ms, 0) * 1000
            while load(address, 2, 2) == value & 0xFFFF and self.clock.now < deadline:
                self.clock.step(deadline)
            return load(address, 2, 2) - value & 0xFFFF

        def exit(status=0):
            if not 0 <= status <= 255:
                raise ValueError("exit: status must be 0..255")
            self.exits.append(status)
            raise SystemExit(status)

        return {
            "arena": lambda: self.arena,
            "at_reset": lambda function: setattr(self, "_at_reset", function),
            "bootargs": lambda: self.bootargs,
            "copy": copy,
            "equal": equal,
            "exit": exit,
            "fill": fill,
            "irq": self._irq,
            "load16": lambda address, offset=0: load(address + offset, 2, 2),
            "load32": lambda address, offset=0: load(address + offset, 4, 4),
            "lock": Lock(),
            "nbytes": lambda buf: len(_bytes_of(buf)),
            "pass16": pass16,
            "sleep16": sleep16,
            "store16": store16,
            "store64": store64,
            "store_addresses": store_addresses,
            "wait": self._wait,
            "wait16": wait16,
            "VIRTIO_BASE": VIRTIO_BASE,
            "VIRTIO_STRIDE": VIRTIO_STRIDE,
            "VIRTIO_SLOTS": VIRTIO_SLOTS,
            "VIRTIO_IRQ": VIRTIO_IRQ,
        }

    def _irq(self, source, handler, *level):
        if not 1 <= source <= 95 or source == 10:
            raise ValueError("irq: source must be 1..95 and not the console's 10")
        if handler is None:
            self._handlers.pop(source, None)
            return
        if not callable(handler) or len(level) not in (0, 5):
            raise TypeError("irq: needs a callable or None, and 2 or 7 arguments")
        self._handlers[source] = handler, level or None
        self._seen[source] = self.memory.load(level[4], 2) if level and level[4] else 0
        self._claim(source)

    def _wait(self, ms):
        assert not self._locks, "sleep in a `with lock`"
        deadline = self.clock.now + max(ms, 0) * 1000
        while True:
            self._dispatch()
            if self._handled:
                self._handled = False
                return True
            if self.clock.now >= deadline:
                return False
            self.clock.step(deadline)
