# SPDX-License-Identifier: MIT
"""The register page of a virtio-mmio device (VirtIO 1.3, 4.2.2), with all its prohibitions."""

from .protocol import CTLS, NOTIFICATION_DATA, RING_RESET
from .rules import rule

MAGIC = 0x74726976

REGISTERS = {
    0x000: ("MagicValue", "R"),
    0x004: ("Version", "R"),
    0x008: ("DeviceID", "R"),
    0x00C: ("VendorID", "R"),
    0x010: ("DeviceFeatures", "R"),
    0x014: ("DeviceFeaturesSel", "W"),
    0x020: ("DriverFeatures", "W"),
    0x024: ("DriverFeaturesSel", "W"),
    0x030: ("QueueSel", "W"),
    0x034: ("QueueSizeMax", "R"),
    0x038: ("QueueSize", "W"),
    0x044: ("QueueReady", "RW"),
    0x050: ("QueueNotify", "W"),
    0x060: ("InterruptStatus", "R"),
    0x064: ("InterruptACK", "W"),
    0x070: ("Status", "RW"),
    0x080: ("QueueDescLow", "W"),
    0x084: ("QueueDescHigh", "W"),
    0x090: ("QueueDriverLow", "W"),
    0x094: ("QueueDriverHigh", "W"),
    0x0A0: ("QueueDeviceLow", "W"),
    0x0A4: ("QueueDeviceHigh", "W"),
    0x0C0: ("QueueReset", "RW"),
    0x0FC: ("ConfigGeneration", "R"),
}
ADDRESSES = [name for name, _ in REGISTERS.values() if name.endswith(("Low", "High"))]
STATUS, CONFIG = 0x070, 0x100

ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET, FAILED = 1, 2, 4, 8, 64, 128
SUSPEND = 16
ORDER = (0, 1, 3, 0xB, 0xF)  # what Status goes through

USED, CONFIG_CHANGED = 1, 2

QUEUE_RESET_US = 1000


class Queue:
    def __init__(self):
        self.size = 0
        self.ready = 0
        self.asked = False  # QueueReady was read
        self.registers = {}
        self.reset_until = None  # when QueueReset is over; None once the driver has seen it

    def address(self, part, name):
        low, high = (self.registers.get(f"Queue{part}{half}") for half in ("Low", "High"))
        rule(low is not None and high is not None, name, f"address of {part} not written")
        return high << 32 | low


class MmioTransport:
    """The page of `device`; `raised(level)` is called when its interrupt line may have changed.

    `trace` lists the accesses as ("R" or "W", name, value). `force` makes registers lie: a
    function by name that turns the value read into another. `gone`: nobody is there, all bits
    read 1 and nothing is written.
    """

    SIZE = 0x200

    # Of this interface; the legacy one has others.
    VERSION = 2
    REGISTERS = REGISTERS
    ORDER = ORDER

    def __init__(self, device, raised=lambda level: None):
        self.device = device
        self.raised = raised
        self.trace = []
        self.force = {}
        self.gone = False
        self.interrupt_status = 0
        self.generation = 0
        self._identity = set()  # registers that were read to find out what is here
        self._only = None  # (rule, names): nothing else may be touched
        self._next = None  # (rule, access, name): this has to come next
        device.transport = self
        device.notify = lambda: self.interrupt(USED)
        self._reset()

    def _reset(self):
        self.device.reset()
        self.status = 0
        self.interrupt_status = 0
        self.queues = {i: Queue() for i in range(len(self.device.queue_max))}
        self.queue_sel = 0
        self.were_reset = set()  # queues, by QueueReset
        self.sel = {"DeviceFeatures": None, "DriverFeatures": None}
        self._seen = 0  # bits of InterruptStatus that the driver read and did not acknowledge
        self._version_known = False  # ConfigGeneration was read
        self._torn = False  # fields were read, and ConfigGeneration not again
        self.features = {0: 0, 1: 0}
        if self._only and self._only[0] == "I-06":
            self._only = None

    def interrupt(self, bits):
        """Set bits of InterruptStatus."""
        self.interrupt_status |= bits
        self.raised(self.interrupt_status != 0)

    def config_changed(self):
        """The configuration space is not what it was."""
        self.generation += 1
        if self.status & DRIVER_OK:
            self.interrupt(CONFIG_CHANGED)

    def need_reset(self):
        """The device is beyond help (2.1.2)."""
        self.status |= NEEDS_RESET
        self.interrupt(CONFIG_CHANGED)

    def forget(self):
        """Expect nothing in particular of the next access: registers have lied."""
        self._next = self._only = None
        self._torn = False

    @property
    def queue(self):
        rule(self.queue_sel in self.queues, "4.2.2", f"queue {self.queue_sel} does not exist")
        return self.queues[self.queue_sel]

    # Every access

    def read(self, offset, n):
        if self.gone:
            return (1 << 8 * n) - 1
        with self.device.traced():
            return self._read(offset, n)

    def write(self, offset, n, value):
        if self.gone:
            return
        with self.device.traced():
            self._write(offset, n, value)

    def _read(self, offset, n):
        if offset >= CONFIG:
            return self._read_config(offset - CONFIG, n)
        name = self._check(offset, n, "R")
        value = getattr(self, "_read_" + name.lower())()
        if name in self.force:
            value = self.force[name](value)
        self._after_read(name, value)
        self.trace.append(("R", name, value))
        return value

    def _write(self, offset, n, value):
        rule(offset < CONFIG, "M-02", "write to the configuration space, which is read-only")
        if (offset, value) == (STATUS, 0):
            self._next = None  # a reset is always a way out
        name = self._check(offset, n, "W")
        self.trace.append(("W", name, value))
        if name in ADDRESSES or name in ("QueueSize", "QueueReady"):
            rule(self.queue.reset_until is None, "M-15", f"{name} before QueueReset was 0")
        if name in ADDRESSES:
            rule(not self.queue.ready, "M-11", f"{name} of a queue that is ready")
            self.queue.registers[name] = value
        else:
            getattr(self, "_write_" + name.lower())(value)

    def _check(self, offset, n, access):
        rule(n == 4 and offset % 4 == 0, "M-03", f"{n} bytes at offset {offset:#x}")
        rule(not 0xAC <= offset <= 0xBC, "M-18", f"shared memory register {offset:#x}")
        there = offset in self.REGISTERS
        if offset == 0x0C0:
            there = there and self.device.accepted & RING_RESET
        rule(there, "M-01", f"offset {offset:#x} is no register")
        name, directions = self.REGISTERS[offset]
        rule(access in directions, "M-02", f"{access} access to {name}")
        self._in_order(access, name)
        return name

    def _in_order(self, access, name):
        if self._next:
            breach, *wanted = self._next
            rule([access, name] == wanted, breach, f"{access} {name} before {' '.join(wanted)}")
            if breach != "G-05":
                self._next = None
        if self._only:
            breach, names = self._only
            rule(name in names, breach, f"{access} {name} of a device that is of no use")
        if access == "W" and name not in ("InterruptACK", "Status"):
            rule(not self._torn, "C-02", f"{name} before ConfigGeneration was read again")
            self._version_known = False
        if name != "MagicValue":
            rule("MagicValue" in self._identity, "M-16", f"{access} {name} before MagicValue")
        # DeviceID alone may be looked at without Version, to search for a device.
        if name not in ("MagicValue", "Version", "DeviceID"):
            rule("Version" in self._identity, "M-16", f"{access} {name} before Version")
            rule("DeviceID" in self._identity, "M-17", f"{access} {name} before DeviceID")

    def _after_read(self, name, value):
        identity = ("MagicValue", "Version", "DeviceID")
        if name in identity:
            self._identity.add(name)
        if name == "MagicValue" and value != MAGIC:
            self._only = ("M-05", ("MagicValue",))
        elif name == "MagicValue" and self._only and self._only[0] != "I-06":
            self._only = None
        elif name == "Version" and value != self.VERSION:
            self._only = ("M-06", identity)
        elif name == "DeviceID" and value == 0:
            self._only = ("M-17", identity)
        elif name == "Status":
            if self._next and value == 0:
                self._next = None
            if self._written == FEATURES_OK and not value & FEATURES_OK:
                self._only = ("I-06", ("Status", "VendorID", *identity))
        elif name == "InterruptStatus":
            self._seen |= value
        elif name == "ConfigGeneration":
            self._version_known, self._torn = True, False

    _written = 0  # the bit that the last write of Status added

    # Who is it?

    def _read_magicvalue(self):
        return MAGIC

    def _read_version(self):
        return self.VERSION

    def _read_deviceid(self):
        return self.device.ID

    def _read_vendorid(self):
        return self.device.VENDOR

    # Status

    def _read_status(self):
        return self.status

    def _write_status(self, value):
        if value == 0:
            self._reset()
            self.raised(False)
            self._written = 0
            self._next = ("G-05", "R", "Status")
            return
        rule(not self.status & FAILED, "G-03", f"Status {value:#x} after FAILED")
        rule(not value & SUSPEND, "I-10", "SUSPEND was not negotiated")
        rule(value & self.status == self.status, "G-02", f"Status {self.status:#x} -> {value:#x}")
        added = value & ~self.status
        if added != FAILED:
            old = self.status & 0xF
            rule(
                value & 0xF in self.ORDER
                and self.ORDER.index(value & 0xF) == self.ORDER.index(old) + 1
                and added == value & 0xF & ~old,
                "G-01",
                f"Status {self.status:#x} -> {value:#x}",
            )
        if added == FEATURES_OK:
            if not self.device.accept(self.features[1] << 32 | self.features[0]):
                value &= ~FEATURES_OK
            self._next = ("I-04", "R", "Status")
        self.status = value
        self._written = added
        if added == DRIVER_OK:
            self.device.start()

    # Features

    def _select(self, register, value):
        rule(value in (0, 1), "4.2.2", f"{register}Sel {value}")
        self.sel[register] = value

    def _selected(self, register, breach):
        value, self.sel[register] = self.sel[register], None
        rule(value is not None, breach, f"{register} without {register}Sel")
        return value

    def _write_devicefeaturessel(self, value):
        self._select("DeviceFeatures", value)

    def _read_devicefeatures(self):
        sel = self._selected("DeviceFeatures", "M-08")
        return self.device.features >> 32 * sel & 0xFFFFFFFF

    def _write_driverfeaturessel(self, value):
        self._select("DriverFeatures", value)

    def _write_driverfeatures(self, value):
        rule(not self.status & FEATURES_OK, "I-03", "DriverFeatures after FEATURES_OK")
        early = self.status != ACKNOWLEDGE | DRIVER
        rule(not early, "I-01", f"DriverFeatures in Status {self.status:#x}")
        self.features[self._selected("DriverFeatures", "M-09")] = value

    # Queues

    def _write_queuesel(self, value):
        self.queue_sel = value

    def _read_queuesizemax(self):
        return self.device.queue_max[self.queue_sel] if self.queue_sel in self.queues else 0

    def _write_queuesize(self, value):
        limit = self._read_queuesizemax()
        rule(not self.queue.ready, "M-11", "QueueSize of a queue that is ready")
        rule(0 < value <= limit, "M-10", f"QueueSize {value}, at most {limit}")
        self.queue.size = value

    def _read_queueready(self):
        if self.queue_sel not in self.queues:
            return 0
        self.queue.asked = True
        return self.queue.ready

    def _write_queueready(self, value):
        queue = self.queue
        rule(value in (0, 1), "4.2.2", f"QueueReady {value}")
        if value:
            again = self.queue_sel in self.were_reset
            in_time = self.status == 0xB or again and self.status == 0xF
            rule(in_time, "I-01", f"queue set up in Status {self.status:#x}")
            name = "R-02" if again else "4.2.3.2"
            rule(queue.asked, name, "QueueReady not read before the queue is set up")
            rule(queue.size, name, "QueueSize not written")
            parts = [queue.address(part, name) for part in ("Desc", "Driver", "Device")]
            self.device.add_queue(self.queue_sel, queue.size, *parts)
        else:
            self.device.remove_queue(self.queue_sel)
            self._next = ("M-12", "R", "QueueReady")
        queue.ready = value

    def _read_queuereset(self):
        until = self.queue.reset_until
        if until is None or until > self.device.clock.now:
            return int(until is not None)
        self.queue.reset_until = None
        return 0

    def _write_queuereset(self, value):
        rule(value == 1, "4.2.2", f"QueueReset {value}")
        rule(self.queue.ready, "4.2.2", "QueueReset of a queue that is not ready")
        self.device.remove_queue(self.queue_sel)
        self.were_reset.add(self.queue_sel)
        self.queues[self.queue_sel] = Queue()
        self.queue.reset_until = self.device.clock.now + QUEUE_RESET_US

    def _write_queuenotify(self, value):
        rule(self.status & DRIVER_OK, "I-07", "kick before DRIVER_OK")
        if self.device.accepted & NOTIFICATION_DATA:
            value, next = value & 0xFFFF, value >> 16
            self.device.check_next(value, next)
        self.device.kick(value)

    # Interrupts

    def _read_interruptstatus(self):
        return self.interrupt_status

    def _write_interruptack(self, value):
        rule(not value & ~3, "M-14", f"InterruptACK {value:#x}")
        rule(not value & ~self.interrupt_status, "M-14", f"InterruptACK {value:#x}: not pending")
        rule(not value & ~self._seen, "M-20", f"InterruptACK {value:#x} before InterruptStatus")
        self._seen &= ~value
        self.interrupt_status &= ~value
        self.raised(self.interrupt_status != 0)

    # Configuration

    def _read_configgeneration(self):
        return self.generation

    def _read_config(self, offset, n):
        config = self.device.config()
        rule(offset != 12 or self.device.accepted & CTLS, "S-01", "`controls` without CTLS")
        rule(offset + n <= len(config), "M-01", f"configuration byte {offset} of {len(config)}")
        rule(n == 4 and offset % 4 == 0, "M-04", f"{n} bytes of configuration at {offset}")
        self._in_order("R", "Config")
        if 0x0FC in self.REGISTERS:  # legacy has no ConfigGeneration
            rule(self._version_known, "C-02", "configuration read before ConfigGeneration")
            self._torn = True
        value = int.from_bytes(config[offset : offset + n], "little")
        self.trace.append(("R", "Config", value))
        return value
