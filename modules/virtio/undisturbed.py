# SPDX-License-Identifier: MIT
"""Chains whose return is awaited while nothing else runs: no scheduled function, no Ctrl-C.

For who is called in the middle of something: by a file system, the collector, an interrupt's
handler. It takes no memory after the chains are made (the collector locks the heap; on 32 bits an
address is an object). Imported only by drivers that need it.
"""

from machine import mem32
import virt


class Undisturbed:
    """Such chains of `queue`. sleep() only in a `with virt.lock`."""

    def __init__(self, queue):
        self.queue = queue
        self._used_idx_va = queue.used_va + 2
        self._length_va = {}  # by head, of part number 1

    def chain(self, *parts):
        """As Queue.chain(), with two parts or more. fit() changes the length of part number 1."""
        queue = self.queue
        head = queue.chain(*parts)
        self._length_va[head] = queue.pointer_va(head, 1) + 8  # behind the address (2.7.5)
        queue.written[head] = 0  # later entries take the places of these
        queue.busy[head] = None
        queue.busy.pop(head)
        return head

    def fit(self, head, n):
        """Let part number 1 of a chain that is not submitted have n bytes, at most as at first."""
        mem32[self._length_va[head]] = n

    def sleep(self, ms):
        """Sleep until a chain is back that was not reaped; false if none is after `ms` ms."""
        return virt.sleep16(self._used_idx_va, self.queue.taken, ms)
