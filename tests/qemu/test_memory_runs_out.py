# SPDX-License-Identifier: MIT
"""A heap with so many free blocks, and no more, while a card is opened, plays, records, is reset.

MemoryError or all is well, the card works afterwards, and the arena has all its bytes back.

EXAMPLES in the environment: as many numbers of blocks as that, instead of 6. 125 take a minute:
-o timeout=300.
"""

import os

import pytest

BLOCKS = 250  # what the program needs, and some more
STEP = BLOCKS // int(os.environ.get("EXAMPLES", 6))

PROGRAM = """
import gc, vsnd
from virtio import dma

DATA = bytes(1920 * 6)
BUF = bytearray(1920 * 6)
small = [None] * BLOCKS
large = [None] * 2000
n = size = i = blocks = out = mic = card = None

def program(card):
    card = card or vsnd.open()
    with card.output() as out:
        out.write(DATA)
    with card.input() as mic:
        mic.readinto(BUF)
    card.reset()
    card.close()

def fill(blocks):
    for i in range(BLOCKS): small[i] = i, 0, 0
    n, size = 0, 1 << 17
    while size:
        try:
            large[n] = bytearray(size) if size >= 64 else (n, 0, 0)
            n += 1
        except MemoryError:
            size >>= 1 if size > 32 else 6
    for i in range(blocks): small[i] = None
    gc.collect()

def empty():
    for i in range(BLOCKS): small[i] = None
    for i in range(2000): large[i] = None
    gc.collect()

program(None)
free = dma.available()
failed = 0
for blocks in range(0, BLOCKS, STEP):
    card = vsnd.open() if OPEN else None
    fill(blocks)
    try:
        program(card)
    except MemoryError:
        failed += 1
    empty()
    card = vsnd.open()
    card.reset()
    program(card)
    if dma.available() != free:
        print(blocks, "blocks:", free - dma.available(), "bytes of the arena are lost")
        free = dma.available()
print(failed > 1)
"""


@pytest.mark.parametrize("already", [False, True], ids=["opened", "open"])
def test_a_heap_that_is_nearly_full(board, already):
    program = f"BLOCKS, STEP, OPEN = {BLOCKS}, {STEP}, {already}\n" + PROGRAM
    result = board.run(program, streams=2, audio="files", memory="5M", timeout=300)
    assert (result.status, result.output) == (0, "True\n")
