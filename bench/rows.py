# SPDX-License-Identifier: MIT
"""The rows of the table: what each figure is, its target, and what others need for the same."""

from typing import NamedTuple

PER_PERIOD = "instructions per period"


class Row(NamedTuple):
    """One line of the table. Less is better in all of them."""

    key: str  # in the JSON
    what: str
    unit: str
    target: int | None = None  # the figure is at most this
    others: tuple[str, ...] = ()  # who else needs how much


# Others: measured with the same settings of QEMU; docs/architecture.md says who they are.
ROWS = (
    Row(
        "long_write",
        "write() with copy, 100 periods a call",
        PER_PERIOD,
        3900,
        (
            "6 646 MicroPython, tidy driver, slice copy",
            "3 920 Rust pcm_xfer_nb (copies, allocates)",
            "659 C, copy unrolled, interrupt",
            "38 994 MicroPython, naive mem32 driver",
        ),
    ),
    Row("long_write_later", "  the same, after a pause in the program", PER_PERIOD),
    Row(
        "streams_1",
        "write() with copy, 1 period a call",
        PER_PERIOD,
        None,
        ("38 900 Linux 6.12 + aplay hw:0,0", "769 Rust pcm_xfer (zero-copy, spins)"),
    ),
    Row("streams_2", "  2 streams in turn", PER_PERIOD + " and stream"),
    Row("streams_3", "  3 streams", PER_PERIOD + " and stream"),
    Row("streams_4", "  4 streams", PER_PERIOD + " and stream"),
    Row("xruns_streams", "  xruns of all these", "times", 0),
    Row(
        "zero_copy",
        "write(copy=False) from the mapped file, 100 periods a call",
        PER_PERIOD,
        2000,
        (
            "2 931 MicroPython, tidy driver",
            "562 Rust pcm_xfer (one call, spins)",
            "96 C, no trap entry (the floor)",
        ),
    ),
    Row("asyncio_1", "awrite(), 100 periods a call", PER_PERIOD, 12000),
    Row("asyncio_2", "  2 streams, a task for each", PER_PERIOD + " and stream"),
    Row("asyncio_3", "  3 streams", PER_PERIOD + " and stream"),
    Row("asyncio_4", "  4 streams", PER_PERIOD + " and stream"),
    Row("xruns_asyncio", "  xruns of all these", "times", 0),
    Row("capture", "readinto(), 100 periods a call", PER_PERIOD, 4500),
    Row("capture_single", "readinto(), 1 period a call", PER_PERIOD),
    Row("heap", "heap, write(), 100 periods a call", "bytes per period", 0),
    Row("heap_single", "  1 period a call", "bytes per period", 0),
    Row("heap_streams", "  the same, 4 streams", "bytes per period and stream", 0),
    Row("heap_zero_copy", "  write(copy=False)", "bytes per period", 0),
    Row("heap_capture", "  readinto()", "bytes per period", 0),
    Row("heap_asyncio", "  awrite(), 100 periods a call", "bytes per period"),
    Row("mmio_writes", "MMIO writes", "per period", None, ("1 Rust, 3 C, 3 Linux",)),
    Row("mmio_reads", "MMIO reads", "per period", 2, ("0 Rust, 2 C, 4 Linux",)),
    Row("notifies", "QueueNotify", "per period", 1),
    Row("interrupts", "interrupts", "per period"),
    Row(
        "start",
        "power-on to START",
        "instructions",
        800_000,
        (
            "32 000 Rust pcm_xfer_nb",
            "24 000 C with interrupt",
            "4 400 000 MicroPython, naive mem32 driver",
            "2 140 000 000 Linux 6.12 + aplay",
        ),
    ),
    Row("prompt", "power-on to the prompt, no tone", "instructions"),
    Row("gc_idle", "garbage collection, nothing in use", "instructions"),
    Row("gc_idle_us", "  its pause", "us of virtual time"),
    Row("gc_megabyte", "garbage collection, 1024 bytearrays of 1 KB", "instructions"),
    Row("gc_megabyte_us", "  its pause", "us of virtual time"),
    Row(
        "image",
        "firmware, text + data",
        "bytes",
        None,
        ("239 KB MicroPython, naive", "47 KB Rust pcm_xfer_nb", "2.8 KB C"),
    ),
)
