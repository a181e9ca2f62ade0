# SPDX-License-Identifier: MIT
"""What goes beyond its memory is caught: stacks, code and constants, the arena (docs/safety.md).

Each breach here is a real one, of the processor or of the device, not a call of the handler.
"""

import functools
import subprocess

import pytest
from feed import noise, run
from virtboard import tools

CRASH = 134
RAM_BASE = 0x80000000
GUARD_SIZE = 4096
MARK = b"\xa5"  # what untouched memory holds

# Lists in lists, deeper than the C stack: MicroPython's comparison does not look at the stack.
NESTED = """
a, b = [], []
for _ in range(20000):
    a, b = [a], [b]
"""


@functools.cache
def symbols(firmware):
    """{name: address} of a firmware."""
    nm = tools.TOOLS / "bin" / "riscv64-unknown-elf-nm"
    listing = subprocess.run([nm, firmware], capture_output=True, text=True, check=True).stdout
    return {words[-1]: int(words[0], 16) for words in map(str.split, listing.splitlines())}


def crash(board, program, **options):
    """Runs a program that must end in a crash: the lines that are said before the registers."""
    result = board.run(program + "\nprint('not here')", **options)
    assert result.status == CRASH
    assert "not here" not in result.output
    lines = result.output.strip().splitlines()
    assert lines[-1].startswith("CRASH: ")
    return lines


# Stacks


@pytest.mark.every_board
def test_a_c_stack_that_overflows(board):
    trap, what, *_ = crash(board, NESTED + "print(a == b)")
    assert trap.startswith("TRAP: ")
    assert what == "stack overflow: the C stack has grown into its guard page"


@pytest.mark.every_board
def test_a_stack_of_interrupt_handlers_that_overflows(board):
    program = """
import machine
machine.Timer(period=1, mode=machine.Timer.ONE_SHOT, hard=True, callback=lambda t: a == b)
while True: pass
"""
    trap, what, end = crash(board, NESTED + program)
    assert trap.startswith("TRAP: ")
    assert what == "stack overflow: that of interrupt handlers has grown into its guard page"
    assert end.startswith("CRASH: exception in an interrupt handler")


@pytest.mark.parametrize("points", [50_000, 100_000])
def test_an_array_on_the_stack_does_not_jump_over_the_guard_page(board, points):
    # framebuf.poly() keeps an int for each point there: 200 KB is more than stack and guard page,
    # and its far end would lie in the arena.
    program = f"""
import array, framebuf
shape = array.array("h", bytes({points} * 4))
framebuf.FrameBuffer(bytearray(10000), 100, 100, framebuf.GS8).poly(0, 0, shape, 1, True)
"""
    what = crash(board, program)[1]
    assert what == "stack overflow: the C stack has grown into its guard page"


def test_what_overwrites_the_end_of_a_frame(board, firmware, xlen):
    # A block device in Python is called by C functions whose frames are then below its own.
    names = symbols(firmware)
    bottom, top = names["__stack_bottom"], names["__stack_top"]
    program = f"""
import uctypes, vfs
canary = bytes(uctypes.bytearray_at({names["__stack_chk_guard"]}, {xlen // 8}))
stack = uctypes.bytearray_at({bottom}, {top - bottom})
class Disk:
    def readblocks(self, block, buf, offset=0):
        print("read")
        at = stack.rfind(canary)
        while at >= 0:
            stack[at + 3] ^= 1
            at = stack.rfind(canary)
    def ioctl(self, command, argument):
        return 64 if command == 4 else 512 if command == 5 else 0
vfs.VfsFat(Disk())
"""
    here, end = crash(board, program)
    assert here == "read"
    assert end.startswith("CRASH: stack smashed: ")


# Addresses

CODE = "a write to code or constants, which are read-only"
LOW = "the guard page below the DMA arena was hit"
HIGH = "the guard page beyond the DMA arena was hit"


@pytest.mark.parametrize(
    "access, what",
    [
        ("machine.mem32[0]", "a null pointer was used"),
        ("machine.mem8[4095] = 1", "a null pointer was used"),
        ("machine.mem32[{__image_start}] = 1", CODE),
        ("machine.mem32[{__constants_end} - 4] = 1", CODE),
        ("machine.mem8[{__arena_start} - 1] = 1", LOW),
        ("machine.mem8[{__arena_start} - 4096]", LOW),
        ("machine.mem8[{__arena_end}] = 1", HIGH),
        ("virt.load16({__arena_end} + 4094)", HIGH),
        ("machine.mem8[0x20000000] = 0", "a write to /rom, which is read-only"),
        ("machine.mem32[0x21fffffc] = 0", "a write to /rom, which is read-only"),
    ],
)
def test_an_access_that_is_guarded(board, firmware, access, what):
    access = access.format_map(symbols(firmware))
    trap, said, *_ = crash(board, f"import machine, virt\n{access}")
    assert trap.startswith("TRAP: ")
    assert said == what


@pytest.mark.every_board
def test_accesses_beside_the_guards(board, firmware):
    program = """
import machine
machine.mem8[{__constants_end}] = machine.mem8[{__constants_end}]
for address in ({__arena_start}, {__arena_end} - 1, {__pystack_end}, {__stack_bottom}):
    machine.mem8[address] = machine.mem8[address]
for address in (0x1000, {__image_start}, {__constants_end} - 1, 0x20000000, 0x21ffffff):
    machine.mem8[address]
"""
    assert board.run(program.format_map(symbols(firmware))).status == 0


@pytest.mark.every_board
def test_data_that_is_executed(board, firmware, xlen):
    # A function whose type is a copy of its own, in which all that can be called is data.
    word = xlen // 8
    program = f"""
import machine, uctypes
def function(): pass
data = bytearray({word} * 16)
copy = bytearray(uctypes.bytearray_at(machine.mem32[id(function)] & 0xffffffff, {word} * 12))
place = uctypes.addressof(data)
for at in range({word} + 16, len(copy), {word}):
    copy[at : at + {word}] = place.to_bytes({word}, "little")
machine.mem32[id(function)] = uctypes.addressof(copy)
print("%x" % place)
function()
"""
    place, _, trap, what, *_ = crash(board, program)
    assert trap.startswith("TRAP: instruction access fault")
    assert trap.endswith(place)
    assert what == "a jump into data: only the image's code is executable"


def test_a_fault_in_an_interrupt_handler(board):
    program = """
import machine
def tick(timer): machine.mem32[0]
machine.Timer(period=1, hard=True, callback=tick)
while True: pass
"""
    trap, what, end = crash(board, program)
    assert trap.startswith("TRAP: load access fault")
    assert what == "a null pointer was used"
    assert end.startswith("CRASH: exception in an interrupt handler")


@pytest.mark.every_board
def test_guards_are_there_after_a_machine_reset(board, firmware):
    program = f"""
import machine
if machine.reset_cause() == machine.PWRON_RESET:
    print("once")
    machine.reset()
machine.mem8[{symbols(firmware)["__arena_end"]}] = 1
"""
    lines = crash(board, program, timeout=20)
    assert lines[0] == "once"
    assert HIGH in lines


# What a device writes does not pass the processor's guards

CANARIES = """
card.close()
import virt
from virtio import dma
plain_alloc, plain_free, taken, checked = dma.alloc, dma.free, {}, 0
def alloc(size, align=16):
    pad = max(1024, align)
    whole = plain_alloc(pad + size + 1024, align)
    virt.fill(dma.arena, whole.at, whole.size, 0xa5)
    virt.fill(dma.arena, whole.at + pad, size, 0)
    region = dma.Region(whole.at + pad, size)
    taken[region.at] = whole
    return region
def free(region):
    global checked
    whole = taken.pop(region.at)
    for start, end in ((whole.at, region.at), (region.at + region.size, whole.at + whole.size)):
        assert bytes(dma.arena[start:end]) == b"\\xa5" * (end - start), "a canary was changed"
    plain_free(whole)
    checked += 1
dma.alloc, dma.free = alloc, free
card = vsnd.open()
"""

PLAY_AND_RECORD = """
data = open("/rom/data", "rb").read()
heard = bytearray(48000)
with card.input(48000, 2, vsnd.S16, 441) as mic, card.output(48000, 2, vsnd.S16, 480) as out:
    for at in range(0, 48000, 9600):
        out.write(memoryview(data)[at : at + 9600])
        mic.readinto(memoryview(heard)[at : at + 9600])
card.close()
assert heard != bytes(48000)
"""


def test_a_device_writes_nothing_beside_what_it_was_given(board):
    # The driver's own allocations, each between two canaries.
    program = CANARIES + PLAY_AND_RECORD + "print(checked, len(taken))"
    result = run(board, program, noise(100_000), files={"data": noise(48000)})
    checked, left = map(int, result.output.split())
    assert checked > 5
    assert left == 0


@pytest.mark.every_board
def test_a_device_writes_nothing_beside_the_arena(board, firmware):
    # QEMU's RAM is a file, in which the guard pages have a content before the board starts.
    names = symbols(firmware)
    guards = [names["__arena_low_guard"], names["__arena_high_guard"]]
    memory = board.folder / "memory"
    with memory.open("wb") as file:
        file.truncate(64 << 20)
        for guard in guards:
            file.seek(guard - RAM_BASE)
            file.write(MARK * GUARD_SIZE)
    backend = f"memory-backend-file,id=ram,size=64M,share=on,mem-path={memory}"
    options = {"memory": "64M", "extra": ["-object", backend, "-machine", "memory-backend=ram"]}
    run(board, PLAY_AND_RECORD, noise(100_000), files={"data": noise(48000)}, **options)
    content = memory.read_bytes()
    memory.unlink()
    arena = content[guards[0] - RAM_BASE :][GUARD_SIZE : GUARD_SIZE + (1 << 20)]
    assert arena.count(0) < len(arena)  # it is the memory that was used
    for guard in guards:
        assert content[guard - RAM_BASE :][:GUARD_SIZE] == MARK * GUARD_SIZE
