# SPDX-License-Identifier: MIT
"""Playback in real time, for minutes, on a computer whose processors are all busy.

    make soak MINUTES=10    plays noise, and compares the recording with it, frame by frame
    make soak RING=1        finds the smallest ring that plays for MINUTES=1 without an xrun

PERIOD= and PERIODS= are those of the first; LOAD=0 is none.

The load is made here: a process for each processor, which do nothing else. Each play ends in a
recording that has to be complete and exact, whatever xruns there were; the status is 1 if it is
not. Beside the plays in real time stand those in virtual time, where nothing is ever late: what
runs dry there does so because of QEMU's timer, which takes a tick's worth of frames at once.
"""

import argparse
import contextlib
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from virtboard import VirtboardError
from virtboard.process import started
from virtboard.qemu import Machine, build_folder
from virtboard.recording import difference
from virtboard.rom import write_image

GUEST = Path(__file__).parent / "guest" / "soak.py"
RATE = 48000  # Hz
NOISE_FRAMES = 2_000_000  # in /rom, about 42 s; what is longer hears them again
REPORT_S = 5  # s of sound between two lines of the guest; 1 where the first xrun ends a play
SPARE_S = 60  # s of real time that a play may take beyond its sound
TICK_US = 10_000  # QEMU's own audio timer
SIZES = (60, 120, 240, 480, 960, 1920)  # frames of a period, for the search
PERIODS = range(2, 17)
SHORT_S = 5  # s of a first trial

# Keeps a processor busy, as long as its parent lives.
BUSY = "import os\np = os.getppid()\nwhile os.getppid() == p:\n for _ in range(100000): pass"


class Failed(VirtboardError):
    """A play went wrong."""


class Play(NamedTuple):
    """How a play went."""

    period: int  # frames
    periods: int
    frames: int  # that were recorded, all of them right
    xruns: int
    longest: float  # ms in one write() of a period
    seconds: float  # of real time
    resets: int  # how often QEMU gave up keeping the rate

    @property
    def ring(self):
        return f"{self.periods} x {self.period}"


@contextlib.contextmanager
def busy(processes):
    """Processes that do nothing but use a processor each, while the block lasts."""
    with contextlib.ExitStack() as stack:
        for _ in range(processes):
            stack.enter_context(started([sys.executable, "-c", BUSY]))
        yield


def noise(period):
    """Random samples of whole periods, shape (frames, 2); the same every time."""
    frames = NOISE_FRAMES // period * period
    return np.random.default_rng(2026).integers(-32768, 32768, (frames, 2), "<i2")


def play(firmware, period, periods, seconds, icount=False, tick_us=TICK_US, tell=None):
    """Plays noise for so many seconds of sound. Returns a Play.

    tell: called with (frames, xruns, longest ms so far) now and then; without it, a play ends
    soon after its first xrun.

    Failed if the board did not end by itself, or the recording is not what was played.
    """
    total = -(-seconds * RATE // period)
    report = (REPORT_S if tell else 1) * RATE // period
    heard = noise(period)
    limit = seconds + SPARE_S

    def echo(chunk, said=bytearray()):
        said += chunk
        *lines, rest = said.split(b"\n")
        said[:] = rest
        for line in lines:
            found = re.match(rb"played (\d+) (\d+) (\d+)", line)
            if found and tell:
                done, xruns, longest = map(int, found.groups())
                tell(done * period, xruns, longest / 1000)

    with tempfile.TemporaryDirectory(prefix="vsnd-soak-") as folder:
        rom = Path(folder, "rom")
        rom.mkdir()
        settings = {"PERIOD": period, "PERIODS": periods, "REPORT": report, "TOTAL": total}
        settings["TO_THE_END"] = tell is not None
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        (rom / "settings.py").write_text(lines)
        (rom / "main.py").write_bytes(GUEST.read_bytes())
        (rom / "noise.raw").write_bytes(heard.tobytes())
        image = Path(folder, "rom.img")
        write_image(rom, image)
        wav = Path(folder, "soak.wav")
        options = {"audio_options": f"timer-period={tick_us}", "icount": icount}
        machine = Machine(firmware, wav=wav, rom=image, append="batch", **options)
        result = machine.run(limit, echo)
        if result.status:
            said = result.output.strip().splitlines()[-5:]
            raise Failed("\n  ".join(["the board failed:", *said, *result.failures]))
        last = re.findall(r"played (\d+) (\d+) (\d+)", result.output)[-1]
        frames, xruns, longest = int(last[0]) * period, int(last[1]), int(last[2]) / 1000
        repeats = -(-frames // len(heard))
        wanted = np.tile(heard, (repeats, 1))[:frames]
        wrong = difference(result.recording.samples, wanted)
        if wrong:
            raise Failed(f"{periods} x {period}: the recording is wrong: {wrong}")
        resets = result.errors.count("Resetting rate control")
        return Play(period, periods, frames, xruns, longest, result.seconds, resets)


def computer():
    """What this ran on, in one line."""
    with contextlib.suppress(OSError):
        model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
        name = model.group(1) if model else platform.machine()
        return f"{os.cpu_count()} processors {name}, Linux {platform.release()}"
    return f"{os.cpu_count()} processors {platform.machine()}, {platform.system()}"


def qemu_version(qemu):
    said = subprocess.run([qemu, "-version"], capture_output=True, text=True, timeout=60).stdout
    return said.splitlines()[0] if said else "QEMU"


def soak(firmware, minutes, processes, ring):
    """Plays for so long under load, and prints how it went. ring: (frames, periods)."""
    began = time.monotonic()

    def tell(frames, xruns, longest):
        done = f"{frames / RATE:6.0f} s played, {time.monotonic() - began:6.0f} s passed"
        print(f"  {done}, {xruns} xruns, longest write {longest:.1f} ms", flush=True)

    with busy(processes):
        one = play(firmware, *ring, round(minutes * 60), tell=tell)
    length = 1000 * one.periods * one.period / RATE
    print(f"{one.frames} frames recorded, all of them as they were written")
    print(f"  {one.xruns} xruns in {one.frames / RATE:.1f} s of sound, {one.seconds:.1f} s passed")
    print(f"  longest write of a period {one.longest:.1f} ms, the ring has {length:.0f} ms")
    print(f"  QEMU gave up its rate {one.resets} times")


def smallest(trial, period):
    """The fewest periods of that size that a trial(period, periods) plays without an xrun.

    A Play, or None if even the most are too few. Fewer periods are supposed to be no better.
    """
    low, high, best = 0, len(PERIODS), None
    while low < high:
        middle = (low + high) // 2
        one = trial(period, PERIODS[middle])
        if one.xruns:
            low = middle + 1
        else:
            high, best = middle, one
    return best


def confirmed(firmware, period, seconds):
    """The smallest ring of that period in real time, found in short plays, confirmed in a long."""

    def trial(period, periods, seconds=min(SHORT_S, seconds)):
        one = play(firmware, period, periods, seconds)
        print(f"  {one.ring}: {one.xruns} xruns in {one.frames / RATE:.0f} s", flush=True)
        return one

    first = smallest(trial, period)
    for periods in PERIODS[PERIODS.index(first.periods) :] if first else ():
        one = trial(period, periods, seconds)
        if not one.xruns:
            return one
    return None


def rings(firmware, minutes, processes):
    """Finds the smallest ring for each size of a period, and prints a table."""
    seconds = round(minutes * 60)
    columns = ("period", "virtual time", "virtual time, 1 ms timer", "real time", "longest write")

    def cell(one):
        return f"{one.ring} = {one.period * one.periods}" if one else "none"

    found, lines = [], [" | ".join(columns)]
    for period in SIZES:
        # The same to the digit each time, and faster than real time.
        virtual = [
            smallest(lambda *r, t=tick: play(firmware, *r, seconds, True, t), period)
            for tick in (TICK_US, 1000)
        ]
        with busy(processes):
            real = confirmed(firmware, period, seconds)
        longest = f"{real.longest:.1f} ms" if real else ""
        found += [real] if real else []
        lines.append(" | ".join([str(period), *map(cell, virtual), cell(real), longest]))
    print("\n".join(lines))
    if found:
        best = min(found, key=lambda one: one.period * one.periods)
        frames = best.period * best.periods
        print(f"The smallest ring without an xrun in {seconds} s: {cell(best)} frames,", end=" ")
        print(f"{1000 * frames / RATE:.0f} ms")
    else:
        print("No ring played without an xrun")


def main():
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("--minutes", type=float, help="of sound; default 10, for --ring 1")
    option("--ring", action="store_true", help="find the smallest ring")
    cores = os.cpu_count()
    option("--period", type=int, default=480, help="frames of a period, default 480")
    option("--periods", type=int, default=4, help="of the ring, default 4")
    option("--load", type=int, default=cores, help=f"busy processes, default {cores}")
    option("--firmware", type=Path, default=build_folder() / "firmware.elf")
    args = parser.parse_args()
    minutes = args.minutes or (1 if args.ring else 10)
    if not 0 < minutes <= 90 or not 0 <= args.load <= 256:
        parser.error("--minutes is more than 0 and at most 90, --load is 0 to 256")
    if not 1 <= args.period <= RATE or not 2 <= args.periods <= 16:
        parser.error(f"--period is 1 to {RATE}, --periods is 2 to 16")
    try:
        qemu = qemu_version(Machine(args.firmware).qemu)
        print(f"{computer()}; {qemu}; {args.load} busy processes", flush=True)
        if args.ring:
            rings(args.firmware, minutes, args.load)
        else:
            soak(args.firmware, minutes, args.load, (args.period, args.periods))
    except VirtboardError as error:
        print(f"soak: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
