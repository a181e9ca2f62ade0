# SPDX-License-Identifier: MIT
# Memory in use: the heap's, after `import vsnd`, with a card, and with an output; the arena's
# then.
import gc


def heap(name):
    gc.collect()
    print(name, gc.mem_alloc() - before)


gc.collect()
before = gc.mem_alloc()
import vsnd  # noqa: E402

heap("heap_import")
card = vsnd.open()
heap("heap_card")
out = card.output()
heap("heap_output")
from virtio import dma  # noqa: E402

print("arena", len(dma.arena) - dma.available())
out.abort()
