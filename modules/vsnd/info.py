# SPDX-License-Identifier: MIT
"""Item information requests: what JACK_INFO, CHMAP_INFO and CTL_INFO have in common
(VirtIO 1.3, 5.14.6.1)."""

import errno
from micropython import const
import struct

_AT_ONCE = const(16)


def query_info(code, start_id, count, size):
    """Ask for the records of `count` items from `start_id` on, `size` bytes each."""
    return struct.pack("<IIII", code, start_id, count, size)


def records(card, code, total, size, most, what):
    """Return a list of the records (bytes) of items 0..total-1, asked for 16 at a time.

    It is empty if the device does not know the request (BAD_MSG or NOT_SUPP): a card works
    without these items. OSError(EIO) if the device claims more than `most` of them.
    """
    if total > most:
        raise OSError(
            errno.EIO, "device claims %d %s: no more than %d are believed" % (total, what, most)
        )
    found = []
    while len(found) < total:
        count = min(total - len(found), _AT_ONCE)
        try:
            data = card.request(query_info(code, len(found), count, size), count * size)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
                raise
            return []
        found += [data[at : at + size] for at in range(0, count * size, size)]
    return found
