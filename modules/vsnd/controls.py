# SPDX-License-Identifier: MIT
"""Control elements: volumes, switches and the like (VirtIO 1.3, 5.14.6.10).

They are what ALSA calls controls: a name, a type, access rights, a value of one or more
members, and metadata, which may say how many decibels a value is. `tlv` knows metadata,
`ctl_info` the records.
"""

from collections import namedtuple
import errno
from micropython import const
import struct
from virt import nbytes
from . import ctl_info, protocol, tlv
from .events import INFO, TLV

_R_CTL_ENUM_ITEMS = const(0x0301)
_R_CTL_READ = const(0x0302)
_R_CTL_WRITE = const(0x0303)
_R_CTL_TLV_READ = const(0x0304)
_R_CTL_TLV_WRITE = const(0x0305)
_R_CTL_TLV_COMMAND = const(0x0306)

REQUESTS = {
    _R_CTL_ENUM_ITEMS: "CTL_ENUM_ITEMS",
    _R_CTL_READ: "CTL_READ",
    _R_CTL_WRITE: "CTL_WRITE",
    _R_CTL_TLV_READ: "CTL_TLV_READ",
    _R_CTL_TLV_WRITE: "CTL_TLV_WRITE",
    _R_CTL_TLV_COMMAND: "CTL_TLV_COMMAND",
}
protocol.REQUESTS.update(REQUESTS)

_VALUE_BYTES = const(512)
_ITEM_BYTES = const(64)
_TLV_BYTES = const(512)  # as much room as tlv() offers at first

IEC958 = namedtuple("IEC958", ("status", "subcode", "dig_subframe"))
_IEC958_PARTS = ((0, 24), (24, 147), (172, 4))  # where in the value, how many bytes


def ctl_hdr(code, control_id):
    """The beginning of every request about one element."""
    return struct.pack("<II", code, control_id)


class Control:
    """Control element `id`.

    What CTL_INFO tells about it are attributes: name, index, type ("BOOLEAN", "INTEGER",
    "INTEGER64", "ENUMERATED", "BYTES", "IEC958"), count (members of the value), minimum, maximum
    and step of a member (step 0 is variable), access (a tuple of "READ", "WRITE", "VOLATILE",
    "INACTIVE", "TLV_READ", "TLV_WRITE", "TLV_COMMAND"), role ("VOLUME", "MUTE", "GAIN" or None)
    and direction (0 output, 1 input, None without a role), hda_fn_nid.

    Values are never kept: read() asks the device. Methods raise OSError(EPERM) if the access
    right is missing, before anything is sent, and OSError as card.request().
    """

    def __init__(self, card, id, row_bytes, info):
        self.id = id
        self._card = card
        self._row_bytes = row_bytes
        self._info = info
        self._items = None
        self._scale = None

    def __getattr__(self, name):
        if self._info is None:  # since refresh()
            info = ctl_info.parse(ctl_info.again(self._card, self.id, self._row_bytes))
            if info is None:
                raise OSError(errno.EIO, "control %d: its new record makes no sense" % self.id)
            self._info = info
        return getattr(self._info, name)

    def refresh(self, mask=INFO | TLV):
        """Forget what an event says has changed: bits VALUE 1, INFO 2, TLV 4.

        It is asked for when it is wanted again; nothing is sent now.
        """
        if mask & INFO:
            self._info = None
            self._items = None
        if mask & (INFO | TLV):
            self._scale = None

    def _label(self):
        return "control %d %r" % (self.id, self.name)

    def _need(self, right):
        if right not in self.access:
            raise OSError(
                errno.EPERM,
                "%s does not allow %s, but %s"
                % (self._label(), right, " ".join(self.access) or "nothing"),
            )

    def _request(self, code, payload=b"", response_bytes=0, at_least=None):
        return self._card.request(ctl_hdr(code, self.id) + payload, response_bytes, at_least)

    # The value

    @property
    def items(self):
        """What an ENUMERATED element offers: a tuple of str. Empty for other types."""
        if self.type != "ENUMERATED":
            return ()
        if self._items is None:
            n = (self.maximum + 1) * _ITEM_BYTES
            data = self._request(_R_CTL_ENUM_ITEMS, b"", n)
            self._items = tuple(
                [ctl_info.text(data[i : i + _ITEM_BYTES]) for i in range(0, n, _ITEM_BYTES)]
            )
        return self._items

    def read(self):
        """The value, as the device tells it: CTL_READ.

        A tuple of ints for BOOLEAN, INTEGER and INTEGER64, of indexes of `items` for ENUMERATED;
        bytes for BYTES; an IEC958 of three bytes objects for IEC958. OSError(EIO) for an
        index without an item.
        """
        self._need("READ")
        if self.type == "IEC958":
            n = sum(_IEC958_PARTS[-1])
        else:
            n = self.count * struct.calcsize(self.format)
        data = self._request(_R_CTL_READ, b"", _VALUE_BYTES, n)
        if self.type == "IEC958":
            return IEC958(*[data[at : at + n] for at, n in _IEC958_PARTS])
        if self.type == "BYTES":
            return data[:n]
        value = struct.unpack_from("<%d%s" % (self.count, self.format), data)
        if self.type == "ENUMERATED" and max(value) > self.maximum:
            raise OSError(
                errno.EIO,
                "%s has item %d: there are 0..%d" % (self._label(), max(value), self.maximum),
            )
        return value

    def write(self, value):
        """Change the value: CTL_WRITE.

        An int for all members, or a sequence of `count`; names of items too for ENUMERATED;
        bytes for BYTES; an IEC958 for IEC958. ValueError, before anything is sent, for what is
        out of minimum..maximum or between two steps.
        """
        self._need("WRITE")
        self._request(_R_CTL_WRITE, self._packed(value))

    def _packed(self, value):
        data = bytearray(_VALUE_BYTES)
        if self.type == "IEC958":
            wanted = [n for _, n in _IEC958_PARTS]
            if not isinstance(value, tuple) or [len(part) for part in value] != wanted:
                raise ValueError(
                    "%s: value must be an IEC958 of 24, 147 and 4 bytes" % self._label()
                )
            for (at, n), part in zip(_IEC958_PARTS, value):
                data[at : at + n] = bytes(part)
            return data
        if value is None or isinstance(value, (int, bool, float, str)):
            value = (value,) * self.count
        if len(value) != self.count:
            raise ValueError(
                "%s: %d values, must be one or %d" % (self._label(), len(value), self.count)
            )
        format = "<" + self.format
        for i, member in enumerate(value):
            struct.pack_into(format, data, i * struct.calcsize(format), self._checked(member))
        return data

    def _checked(self, member):
        """A member of the value as int."""
        if isinstance(member, str) and member in self.items:
            return self.items.index(member)
        if isinstance(member, bool):
            member = int(member)
        low, high, step = self.minimum, self.maximum, self.step
        if isinstance(member, int) and low <= member <= high and (member - low) % (step or 1) == 0:
            return member
        wanted = "%d..%d" % (low, high)
        if step > 1:
            wanted += " in steps of %d" % step
        if self._items:
            wanted += " or one of " + " ".join([repr(item) for item in self._items])
        raise ValueError("%s: value is %r, must be %s" % (self._label(), member, wanted))

    # Metadata

    def tlv_read(self, n=_TLV_BYTES):
        """Up to n bytes of metadata as they are, with their header: CTL_TLV_READ."""
        self._need("TLV_READ")
        if not isinstance(n, int) or not 0 < n <= tlv.HEADER_BYTES + tlv.VALUE_BYTES_MAX:
            raise ValueError(
                "%s: room for %r bytes of metadata, must be 1..%d"
                % (self._label(), n, tlv.HEADER_BYTES + tlv.VALUE_BYTES_MAX)
            )
        return self._request(_R_CTL_TLV_READ, b"", n, 0)

    def tlv_write(self, data):
        """Change the metadata: CTL_TLV_WRITE. data: one TLV, as tlv.encode() makes.

        ValueError, before anything is sent, for anything else and for a value of more than
        65536 bytes.
        """
        self._need("TLV_WRITE")
        self._request(_R_CTL_TLV_WRITE, self._one_tlv(data))

    def tlv_command(self, data):
        """Execute a command that the device defines: CTL_TLV_COMMAND. data as tlv_write()."""
        self._need("TLV_COMMAND")
        self._request(_R_CTL_TLV_COMMAND, self._one_tlv(data))

    def _one_tlv(self, data):
        length = nbytes(data) - tlv.HEADER_BYTES
        if length < 0 or length & 3 or struct.unpack_from("<I", data, 4)[0] != length:
            raise ValueError(
                "%s: %d bytes are no TLV: tlv.encode() makes one" % (self._label(), nbytes(data))
            )
        if length > tlv.VALUE_BYTES_MAX:
            raise ValueError(
                "%s: TLV of %d bytes, must be at most %d"
                % (self._label(), length, tlv.VALUE_BYTES_MAX)
            )
        return data

    def tlv(self):
        """The metadata as an item of module tlv. OSError(EIO) if they make no sense."""
        data = self.tlv_read()
        if len(data) >= tlv.HEADER_BYTES:
            n = tlv.HEADER_BYTES + struct.unpack_from("<I", data, 4)[0]
            if len(data) < n <= tlv.HEADER_BYTES + tlv.VALUE_BYTES_MAX:
                data = self.tlv_read(n)
        try:
            return tlv.decode(data)
        except ValueError as error:
            raise OSError(errno.EIO, "%s: %s" % (self._label(), error))

    # Decibels

    def _db_scale(self):
        if self._scale is None:
            item = tlv.scale(self.tlv()) if self.type in ("INTEGER", "INTEGER64") else None
            if item is None:
                raise OSError(
                    errno.EOPNOTSUPP, "%s has no scale of decibels: use read()" % self._label()
                )
            self._scale = item
        return self._scale

    def db(self):
        """The value in decibels: a tuple of floats, float("-inf") is silence.

        OSError(EOPNOTSUPP) if the metadata have no scale, OSError(EPERM) if there are none.
        """
        self._need("READ")
        scale = self._db_scale()
        return tuple([self._to_db(scale, raw) for raw in self.read()])

    def _to_db(self, scale, raw):
        try:
            return tlv.to_db(scale, raw, self.minimum, self.maximum)
        except ValueError as error:
            raise OSError(errno.EIO, "%s: %s" % (self._label(), error))

    def set_db(self, value):
        """Write the nearest value; `value` in decibels: a number for all members or a sequence.

        float("-inf") is silence. ValueError, before anything is sent, for what is off the scale;
        otherwise as db() and write().
        """
        self._need("WRITE")
        if value is None or isinstance(value, (int, float, str)):
            self.write(self._from_db(value))
        else:
            self.write([self._from_db(db) for db in value])

    def _from_db(self, db):
        if not isinstance(db, (int, float)):
            raise TypeError("%s: value is %r, must be a number of dB" % (self._label(), db))
        scale = self._db_scale()
        low, high, step = self.minimum, self.maximum, self.step or 1
        silent = self._to_db(scale, low) == float("-inf")
        if silent and db == float("-inf"):
            return low
        bottom = min(low + step, high) if silent else low
        lowest, highest = self._to_db(scale, bottom), self._to_db(scale, high)
        if not lowest - 0.005 <= db <= highest + 0.005:  # half of the wire's unit
            raise ValueError(
                "%s: %s dB is off its scale of %.2f..%.2f dB%s"
                % (self._label(), db, lowest, highest, ", or -inf" if silent else "")
            )
        raw = tlv.to_raw(scale, db, low, high)
        raw = low + (raw - low + step // 2) // step * step
        return min(max(raw, bottom), low + (high - low) // step * step)

    def __repr__(self):
        label = "control %d: %r" % (self.id, self.name)
        if self.index:
            label += " %d" % self.index
        kind = self.type
        if kind == "ENUMERATED":
            kind += " of %d items" % (self.maximum + 1)
        elif kind in ("INTEGER", "INTEGER64"):
            kind += " %d..%d" % (self.minimum, self.maximum)
            if self.step > 1:
                kind += " step %d" % self.step
        parts = [label, kind]
        if self.count > 1:
            parts.append("%d values" % self.count)
        if self.role:
            parts.append(("output ", "input ")[self.direction] + self.role)
        parts.append(" ".join(self.access))
        return ", ".join(parts)


def query(card, total):
    """Ask for `total` control elements; return a tuple of Control, without those whose record
    makes no sense.

    Empty if the device does not know CTL_INFO. OSError as card.request(), EIO if the device
    claims more than 1024, EOPNOTSUPP if VIRTIO_SND_F_CTLS was not negotiated.
    """
    if not card.device.features & protocol.CTLS:
        raise OSError(
            errno.EOPNOTSUPP, "no control elements: VIRTIO_SND_F_CTLS is not negotiated"
        )
    rows, row_bytes = ctl_info.query(card, total)
    infos = [ctl_info.parse(row) for row in rows]
    return tuple(
        [Control(card, id, row_bytes, info) for id, info in enumerate(infos) if info is not None]
    )


def find(controls, name, index=0):
    """The control of that name; `index` tells those with the same name apart.

    ValueError, with the names that there are, if there is none.
    """
    for control in controls:
        if control.name == name and control.index == index:
            return control
    names = ["%r" % c.name + (" %d" % c.index if c.index else "") for c in controls]
    raise ValueError(
        "no control %r %r, but %s" % (name, index, ", ".join(names) if names else "none at all")
    )
