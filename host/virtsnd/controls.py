# SPDX-License-Identifier: MIT
"""Control elements (5.14.6.10): their records, values and metadata."""

import struct
from dataclasses import dataclass, field

from .items import Items, Refused, sized, word
from .protocol import (
    BAD_MSG, BOOLEAN, BYTES, CTLS, ENUMERATED, IEC958, IEC958_BYTES, INTEGER, INTEGER64,
    MASK_TLV, MASK_VALUE, NOT_SUPP, READ, TLV_COMMAND, TLV_MAX, TLV_READ, TLV_WRITE, TYPES,
    VALUE_BYTES, WRITE, name_of,
)
from .rules import rule

RECORD_BYTES = (92, 96)


def tlv(type, *words):
    """Metadata: type, length in bytes, and the words, which may be negative."""
    value = struct.pack(f"<{len(words)}I", *(word & 0xFFFFFFFF for word in words))
    return struct.pack("<II", type, len(value)) + value


@dataclass
class Control:
    """A control element: here a volume of two channels, 0 to 100.

    `type` is one of BOOLEAN to IEC958; `min`, `max` and `step` (0: any) are for integers, which
    are signed if `min` is negative; `items` are the names of an enumerated element.

    `value` is a tuple of `count` numbers, for BYTES and IEC958 bytes. `tlv` is what CTL_TLV_READ
    gives, b"" for nothing; `commands` what CTL_TLV_COMMAND sent.
    """

    name: str | bytes = "Master Playback Volume"
    type: int = INTEGER
    role: int = 0
    access: int = READ | WRITE
    count: int = 2
    index: int = 0
    nid: int = 0
    min: int = 0
    max: int = 100
    step: int = 0
    items: tuple = ()
    value: tuple | bytes | None = None
    tlv: bytes = b""
    commands: list = field(default_factory=list)

    def __post_init__(self):
        if self.value is None:
            numbers = (self.min if self._is_integer() else 0,) * self.count
            self.value = {
                BYTES: bytes(self.count), IEC958: bytes(IEC958_BYTES)
            }.get(self.type, numbers)

    def _is_integer(self):
        return self.type in (INTEGER, INTEGER64)

    def record(self, size=92):
        """The ctl_info record: packed in 92 bytes, or with the union aligned in 96."""
        head = struct.pack(
            "<6I44s", self.nid, self.role, self.type, self.access, self.count, self.index,
            text(self.name),
        )
        limits = (self.min, self.max, self.step)
        union = b""
        if self.type == INTEGER:
            union = struct.pack("<3I", *(n & 0xFFFFFFFF for n in limits))
        elif self.type == INTEGER64:
            union = struct.pack("<3Q", *(n & 0xFFFFFFFFFFFFFFFF for n in limits))
        elif self.type == ENUMERATED:
            union = struct.pack("<I", len(self.items))
        return head + bytes(size - 92) + union.ljust(24, b"\0")

    # Values

    def _layout(self):
        """struct's format of the members, as many as a value has room for."""
        code = "q" if self.type == INTEGER64 else "i"
        if not (self._is_integer() and self.min < 0):
            code = code.upper()
        return f"<{min(self.count, VALUE_BYTES // struct.calcsize('<' + code))}{code}"

    def pack(self):
        """The value as ctl_value has it, 512 bytes."""
        if self.type in (BYTES, IEC958):
            return bytes(self.value)[:VALUE_BYTES].ljust(VALUE_BYTES, b"\0")
        layout = self._layout()
        numbers = self.value[: int(layout[1:-1])]
        return struct.pack(layout, *numbers).ljust(VALUE_BYTES, b"\0")

    def unpack(self, raw):
        """The value in 512 bytes; what follows the last member means nothing."""
        if self.type == BYTES:
            return raw[: self.count]
        if self.type == IEC958:
            return raw[:IEC958_BYTES]
        return struct.unpack_from(self._layout(), raw)

    def allows(self, value):
        """Whether every member is in range."""
        if self.type == BOOLEAN:
            return all(n in (0, 1) for n in value)
        if self.type == ENUMERATED:
            return all(n < len(self.items) for n in value)
        if self._is_integer():
            step = self.step or 1
            return all(self.min <= n <= self.max and (n - self.min) % step == 0 for n in value)
        return True


def text(name):
    return name.encode("ascii") if isinstance(name, str) else name


class Controls(Items):
    WHAT = "control"
    INFO = "CTL_INFO"
    TOTAL = 3
    RECORD_BYTES = 92

    def __init__(self, sound, items):
        super().__init__(sound, items)
        self.handlers.update(
            CTL_ENUM_ITEMS=self._enum_items,
            CTL_READ=self._read,
            CTL_WRITE=self._write,
            CTL_TLV_READ=self._tlv_read,
            CTL_TLV_WRITE=self._tlv_write,
            CTL_TLV_COMMAND=self._tlv_command,
        )
        for name, handler in self.handlers.items():
            self.handlers[name] = self._negotiated(name, handler)

    def _negotiated(self, name, handler):
        def handle(request, room):
            rule(self.sound.device.accepted & CTLS, "S-32", f"{name} without VIRTIO_SND_F_CTLS")
            return handler(request, room)

        return handle

    def record(self, id):
        return self[id].record(self.sound.control_record)

    def _allowed(self, request, bit, breach, name):
        """The element, whose access bits must allow the request."""
        control = self.at(request)
        rule(control.access & bit, breach, f"{name} of control {word(request, 4)}")
        return control

    def _enum_items(self, request, room):
        name = "CTL_ENUM_ITEMS"
        rule(len(request) == 8, "5.14.6.10.1", f"{name} of {len(request)} bytes, want 8")
        control = self.at(request)
        kind = name_of(control.type, TYPES)
        rule(control.type == ENUMERATED, "5.14.6.10.1", f"{name} of a control of type {kind}")
        count = len(control.items)
        rule(room >= 4 + 64 * count, "5.14.6.10.1", f"{name}: {room} bytes for {count} items")
        return lambda: b"".join(text(item)[:64].ljust(64, b"\0") for item in control.items)

    def _read(self, request, room):
        sized("CTL_READ", request, room, 8, 4 + VALUE_BYTES, "5.14.6.10.2")
        return self._allowed(request, READ, "S-18", "CTL_READ").pack

    def _write(self, request, room):
        sized("CTL_WRITE", request, room, 8 + VALUE_BYTES, 4, "5.14.6.10.2")
        control = self._allowed(request, WRITE, "S-19", "CTL_WRITE")
        value = control.unpack(request[8:])

        def write():
            if not control.allows(value):
                raise Refused(BAD_MSG)
            control.value = value
            self.sound.device.echo(word(request, 4), MASK_VALUE)

        return write

    # Metadata

    def _tlv_read(self, request, room):
        name = "CTL_TLV_READ"
        rule(len(request) == 8, "5.14.6.10.3", f"{name} of {len(request)} bytes, want 8")
        rule(room >= 4, "5.14.6.10.3", f"{name}: {room} bytes for the answer")
        control = self._allowed(request, TLV_READ, "S-20", name)

        def read():
            if not control.tlv:
                raise Refused(NOT_SUPP)
            return control.tlv[: room - 4]

        return read

    def _submitted(self, request, room, bit, breach, name):
        rule(len(request) >= 16, "5.14.6.10.3", f"{name} of {len(request)} bytes, want 16 or more")
        control = self._allowed(request, bit, breach, name)
        rule(room == 4, "5.14.6.10.3", f"{name}: {room} bytes for the answer, want 4")
        length = word(request, 12)
        rule(length <= TLV_MAX, "S-23", f"{name}: a value of {length} bytes")
        whole = length % 4 == 0 and length == len(request) - 16
        rule(whole, "5.14.6.10.3", f"{name}: length {length}, {len(request) - 16} bytes came")
        return control, request[8:]

    def _tlv_write(self, request, room):
        control, data = self._submitted(request, room, TLV_WRITE, "S-21", "CTL_TLV_WRITE")

        def write():
            control.tlv = data
            self.sound.device.echo(word(request, 4), MASK_TLV)

        return write

    def _tlv_command(self, request, room):
        control, data = self._submitted(request, room, TLV_COMMAND, "S-22", "CTL_TLV_COMMAND")
        return lambda: control.commands.append(data)
