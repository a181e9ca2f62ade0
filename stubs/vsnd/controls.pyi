# SPDX-License-Identifier: MIT
"""Control elements: volumes, switches and the like (VirtIO 1.3, 5.14.6.10)."""

from _typeshed import ReadableBuffer
from collections.abc import Sequence
from typing import Any, NamedTuple
from .card import Card
from .ctl_info import Info
from . import tlv
from .events import INFO, TLV

REQUESTS: dict[int, str]

class IEC958(NamedTuple):
    status: bytes
    subcode: bytes
    dig_subframe: bytes

def ctl_hdr(code: int, control_id: int) -> bytes:
    """The beginning of every request about one element."""

_Value = int | str | Sequence[int | str] | bytes | IEC958

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

    id: int
    hda_fn_nid: int
    role: str | None
    direction: int | None
    type: str
    access: tuple[str, ...]
    count: int
    index: int
    name: str
    minimum: int
    maximum: int
    step: int
    format: str | None
    def __init__(self, card: Card, id: int, row_bytes: int, info: Info | None) -> None: ...
    def refresh(self, mask: int = INFO | TLV) -> None:
        """Forget what an event says has changed: bits VALUE 1, INFO 2, TLV 4.

        It is asked for when it is wanted again; nothing is sent now.
        """
    @property
    def items(self) -> tuple[str, ...]:
        """What an ENUMERATED element offers: a tuple of str. Empty for other types."""
    def read(self) -> tuple[int, ...] | Any:
        """The value, as the device tells it: CTL_READ.

        A tuple of ints for BOOLEAN, INTEGER and INTEGER64, of indexes of `items` for ENUMERATED;
        bytes for BYTES; an IEC958 of three bytes objects for IEC958. OSError(EIO) for an
        index without an item.
        """
    def write(self, value: _Value) -> None:
        """Change the value: CTL_WRITE.

        An int for all members, or a sequence of `count`; names of items too for ENUMERATED;
        bytes for BYTES; an IEC958 for IEC958. ValueError, before anything is sent, for what is
        out of minimum..maximum or between two steps.
        """
    def tlv_read(self, n: int = 512) -> bytes:
        """Up to n bytes of metadata as they are, with their header: CTL_TLV_READ."""
    def tlv_write(self, data: ReadableBuffer) -> None:
        """Change the metadata: CTL_TLV_WRITE. data: one TLV, as tlv.encode() makes.

        ValueError, before anything is sent, for anything else and for a value of more than
        65536 bytes.
        """
    def tlv_command(self, data: ReadableBuffer) -> None:
        """Execute a command that the device defines: CTL_TLV_COMMAND. data as tlv_write()."""
    def tlv(self) -> tlv._Item:
        """The metadata as an item of module tlv. OSError(EIO) if they make no sense."""
    def db(self) -> tuple[float, ...]:
        """The value in decibels: a tuple of floats, float("-inf") is silence.

        OSError(EOPNOTSUPP) if the metadata have no scale, OSError(EPERM) if there are none.
        """
    def set_db(self, value: float | Sequence[float]) -> None:
        """Write the nearest value; `value` in decibels: a number for all members or a sequence.

        float("-inf") is silence. ValueError, before anything is sent, for what is off the scale;
        otherwise as db() and write().
        """

def query(card: Card, total: int) -> tuple[Control, ...]:
    """Ask for `total` control elements; return a tuple of Control, without those whose record
    makes no sense.

    Empty if the device does not know CTL_INFO. OSError as card.request(), EIO if the device
    claims more than 1024, EOPNOTSUPP if VIRTIO_SND_F_CTLS was not negotiated.
    """
def find(controls: Sequence[Control], name: str, index: int = 0) -> Control:
    """The control of that name; `index` tells those with the same name apart.

    ValueError, with the names that there are, if there is none.
    """
