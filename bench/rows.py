# SPDX-License-Identifier: MIT
"""The rows of the table: what each figure is, its target, and what others need for the same."""

from typing import NamedTuple

INSTRUCTIONS = "instructions"
PER_PERIOD = "instructions per period"
PER_STREAM = "instructions per period and stream"


class Row(NamedTuple):
    """One line of the table. Less is better in all of them."""

    key: str  # in the JSON
    what: str
    unit: str
    target: float | None = None  # the figure is at most this
    floor: str = ""  # the row of what C needs for the same
    others: tuple[tuple[float, str], ...] = ()  # who else needs how much: (figure, who)


# Who the others are, and how their figures were taken, is said in docs/benchmark.md.
GROUPS = {
    "A period of 10 ms": (
        Row(
            "long_write",
            "write() with copy, 100 periods a call",
            PER_PERIOD,
            3900,
            "floor_copy",
            (
                (1288, "C, copy by a plain 64-bit loop"),
                (3920, "Rust pcm_xfer_nb (copies, allocates)"),
                (6646, "MicroPython, tidy driver, slice copy"),
                (11608, "C, copy by bytes"),
                (38994, "MicroPython, naive mem32 driver"),
            ),
        ),
        Row("long_write_later", "  the same, after a pause in the program", PER_PERIOD),
        Row("long_write_unaligned", "  from an odd address", PER_PERIOD, 3900),
        Row(
            "zero_copy",
            "write(copy=False) from the mapped file, 100 periods a call",
            PER_PERIOD,
            2000,
            "floor_zero_copy",
            (
                (562, "Rust pcm_xfer, one call for all (zero-copy, spins)"),
                (2931, "MicroPython, tidy driver, zero-copy"),
                (49360, "Linux 6.12 + aplay -M"),
            ),
        ),
        Row("asyncio_1", "awrite(), 100 periods a call", PER_PERIOD, 12000),
        Row("capture", "readinto(), 100 periods a call", PER_PERIOD, 4500),
        Row("capture_single", "readinto(), 1 period a call", PER_PERIOD),
        Row(
            "streams_1",
            "write() with copy, 1 period a call",
            PER_PERIOD,
            None,
            "",
            (
                (769, "Rust pcm_xfer, a call per period (zero-copy, spins)"),
                (38900, "Linux 6.12 + aplay hw:0,0"),
            ),
        ),
    ),
    "Several streams of one card at once": (
        Row("streams_2", "write(), 1 period a call, 2 streams in turn", PER_STREAM),
        Row("streams_3", "  3 streams", PER_STREAM),
        Row("streams_4", "  4 streams", PER_STREAM),
        Row("xruns_streams", "  xruns of 1 to 4 streams", "times", 0),
        Row("asyncio_2", "awrite(), 100 periods a call, 2 streams, a task for each", PER_STREAM),
        Row("asyncio_3", "  3 streams", PER_STREAM),
        Row("asyncio_4", "  4 streams", PER_STREAM),
        Row("xruns_asyncio", "  xruns of 1 to 4 streams", "times", 0),
    ),
    "Heap that a period allocates": (
        Row("heap", "write() with copy, 100 periods a call", "bytes per period", 0),
        Row("heap_zero_copy", "write(copy=False), 100 periods a call", "bytes per period", 0),
        Row("heap_single", "write(), 1 period a call", "bytes per period", 0),
        Row("heap_streams", "  the same, 4 streams", "bytes per period and stream", 0),
        Row("heap_capture", "readinto(), 1 period a call", "bytes per period", 0),
        Row("heap_asyncio", "awrite(), 100 periods a call", "bytes per period"),
    ),
    "Register accesses, write() with copy, 100 periods a call": (
        Row(
            "mmio_writes",
            "MMIO writes",
            "per period",
            None,
            "floor_writes",
            ((1, "Rust, MicroPython"), (3, "C with the PLIC's, Linux")),
        ),
        Row(
            "mmio_reads",
            "MMIO reads",
            "per period",
            2,
            "floor_reads",
            ((0, "Rust, MicroPython"), (2, "C with the PLIC's"), (4, "Linux")),
        ),
        Row("notifies", "QueueNotify", "per period", 1, "floor_notifies"),
        Row("interrupts", "interrupts", "per period", None, "floor_interrupts"),
    ),
    "The beginning": (
        Row(
            "start",
            "power-on to START",
            INSTRUCTIONS,
            800_000,
            "floor_start",
            (
                (24_000, "C, with interrupt"),
                (32_000, "Rust pcm_xfer_nb (21 700 pcm_xfer)"),
                (700_000, "MicroPython, tidy driver (sum of parts)"),
                (4_400_000, "MicroPython, naive mem32 driver"),
                (2_140_000_000, "Linux 6.12 + aplay"),
            ),
        ),
        Row("prompt", "power-on to the prompt, no tone", INSTRUCTIONS),
        Row("latency_first", "write() to START, the ring being empty", "us of virtual time"),
        Row("latency_first_frames", "  place of its first sample in the recording", "frames"),
        Row("latency_frames", "write() to the place of its first sample, ring full", "frames"),
        Row("latency_us", "  the same", "us of virtual time"),
    ),
    "Garbage collection while it plays, 1 period a call": (
        Row("gc_none_worst", "dearest period of 200, no collection", INSTRUCTIONS),
        Row("gc_none_gap", "  longest time from one to the next", "us of virtual time"),
        Row("gc_small", "a collection, nothing else in use", INSTRUCTIONS),
        Row("gc_small_us", "  its pause", "us of virtual time"),
        Row("gc_small_worst", "  dearest period of 200", INSTRUCTIONS),
        Row("gc_small_gap", "  longest time from one to the next", "us of virtual time"),
        Row("gc_small_xruns", "  xruns", "times", 0),
        Row("gc_large", "a collection, 1024 bytearrays of 1 KB in use", INSTRUCTIONS),
        Row("gc_large_us", "  its pause", "us of virtual time"),
        Row("gc_large_worst", "  dearest period of 200", INSTRUCTIONS),
        Row("gc_large_gap", "  longest time from one to the next", "us of virtual time"),
        Row("gc_large_xruns", "  xruns", "times"),
    ),
    "Throughput: write() with copy, periods of 10 ms, 50 a call": (
        Row("rate_48000_2", "48 kHz, 2 channels", PER_PERIOD),
        Row("rate_48000_2_percent", "  of the processor at 31.25 MIPS", "%"),
        Row("rate_192000_2", "192 kHz, 2 channels", PER_PERIOD),
        Row("rate_192000_2_percent", "  of the processor", "%"),
        Row("rate_384000_2", "384 kHz, 2 channels", PER_PERIOD),
        Row("rate_384000_2_percent", "  of the processor", "%"),
        Row("rate_48000_8", "48 kHz, 8 channels", PER_PERIOD),
        Row("rate_48000_8_percent", "  of the processor", "%"),
        Row("rate_384000_8", "384 kHz, 8 channels", PER_PERIOD),
        Row("rate_384000_8_percent", "  of the processor", "%"),
    ),
    "Memory": (
        Row(
            "image",
            "firmware, text + data",
            "bytes",
            None,
            "floor_image",
            (
                (2_800, "C, with interrupt"),
                (32_000, "Rust pcm_xfer"),
                (47_000, "Rust pcm_xfer_nb"),
                (239_000, "MicroPython, naive or tidy"),
                (31_000_000, "Linux 6.12, without its initrd"),
            ),
        ),
        Row("bss", "firmware, bss", "bytes"),
        Row("ram", "RAM before the heap: the firmware, its arena and stacks", "bytes"),
        Row("arena", "arena in use, with an open output", "bytes"),
        Row("heap_import", "heap in use after `import vsnd`", "bytes"),
        Row("heap_card", "  after vsnd.open()", "bytes"),
        Row("heap_output", "  after card.output()", "bytes"),
    ),
    "The floor: bench/floor, C on bare metal": (
        Row("floor_copy", "with copy", PER_PERIOD, None, "", ((659, "C, copy unrolled"),)),
        Row("floor_zero_copy", "zero-copy", PER_PERIOD, None, "", ((96, "C, no trap entry"),)),
        Row("floor_writes", "MMIO writes, without the PLIC's", "per period"),
        Row("floor_reads", "MMIO reads, without the PLIC's", "per period"),
        Row("floor_notifies", "QueueNotify", "per period"),
        Row("floor_interrupts", "interrupts", "per period"),
        Row("floor_start", "power-on to START", INSTRUCTIONS),
        Row("floor_image", "image, text + data", "bytes"),
    ),
}

ROWS = {row.key: row for rows in GROUPS.values() for row in rows}
