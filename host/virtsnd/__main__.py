# SPDX-License-Identifier: MIT
"""A strict sound device for QEMU: python -m virtsnd SOCKET (--help)."""

import argparse
import code
import contextlib
import os
import runpy
import signal
import sys
import threading
import traceback
from dataclasses import replace
from pathlib import Path

from . import demo
from .daemon import Daemon, DaemonError
from .fault_list import FAULTS
from .faults import inject
from .streams import StreamInfo
from .trace import Trace
from .wav import write_wav

BROKEN, USAGE = 1, 2  # exit status

QEMU = """\
virtsnd: a sound device listens at {path}
QEMU 9.0 or newer has it with these options, where 128M is what -m says:
  -machine virt,memory-backend=ram -object memory-backend-memfd,id=ram,size=128M,share=on \
-chardev socket,id=snd,path={path} -device vhost-user-snd,chardev=snd{controls} \
-global virtio-mmio.force-legacy=false"""


class Failure(Exception):
    """One line: what was wrong, and what would be right."""


class Script:
    """A Python file that has OPTIONS, arguments of SoundDevice, or setup(device), or both."""

    def __init__(self, path):
        self.path = path
        try:
            names = runpy.run_path(path) if path else vars(demo)
        except Exception as error:
            why = getattr(error, "strerror", None) or error
            raise Failure(self.about(error) or f"--script {path}: {why}") from None
        self.options = dict(names.get("OPTIONS", {}))
        self.setup = names.get("setup")
        if "OPTIONS" not in names and self.setup is None:
            raise Failure(f"--script {path} has neither OPTIONS nor setup(device)")

    def about(self, error):
        """One line about an error in the script; None if it is somebody else's."""
        if isinstance(error, SyntaxError):
            return f"{error.filename}:{error.lineno}: {error.msg}"
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == self.path]
        if lines:
            return f"{self.path}:{lines[-1]}: {type(error).__name__}: {error}"
        return None


class Prompt(code.InteractiveConsole):
    """A Python prompt whose lines run in the device's thread."""

    def __init__(self, daemon):
        super().__init__({"device": daemon.device})
        self.daemon = daemon

    def runcode(self, code):
        self.daemon.call(super().runcode, code)


def main(arguments=None):
    """Serve until interrupted. Return the exit status: 0, BROKEN if rules were, or USAGE."""
    args = parser().parse_args(arguments)
    if args.once and args.interactive:
        return complain("--once ends with QEMU, and --interactive by hand: name one of them")
    if args.faults:
        try:
            print(*(f"{fault.name:32} {fault.text}" for fault in POSSIBLE), sep="\n", flush=True)
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if args.socket is None:
        return complain("name a SOCKET, which the device makes")
    script = None
    try:
        script = Script(args.script)
        with contextlib.ExitStack() as stack:
            return serve(args, script, stack)
    except (DaemonError, Failure) as error:
        return complain(error)
    except OSError as error:
        return complain(f"{error.filename or args.socket}: {error.strerror}")
    except Exception as error:
        about = script and script.about(error)
        if about is None:
            raise
        return complain(about)


class Faulty:
    """setup(device) of a device that has faults in its first life, and is a good one after."""

    def __init__(self, faults, setup, say):
        self.faults = faults
        self.setup = setup
        self.say = say
        self.injections = None

    def __call__(self, device):
        if self.setup is not None:
            self.setup(device)
        if self.injections is None:
            self.injections = [inject(device, fault) for fault in self.faults]
        else:
            self.end()

    def end(self):
        """The first life is over: tell what did not happen."""
        for injection in reversed(self.injections or ()):
            injection.remove()
            if not injection.happened:
                self.say(f"virtsnd: fault {injection.fault.name} did not happen")
        self.injections = []


def complain(text):
    print(f"virtsnd: {text}", file=sys.stderr)
    return USAGE


def serve(args, script, stack):
    options = script.options
    if args.latency is not None:
        streams = options.get("streams", (StreamInfo(),))
        options["streams"] = [replace(info, latency_bytes=args.latency) for info in streams]
    setup = script.setup
    if args.fault:
        setup = Faulty(args.fault, script.setup, lambda text: print(text, file=sys.stderr))
        stack.callback(setup.end)
    try:
        daemon = stack.enter_context(Daemon(args.socket, options, setup))
    except TypeError as error:
        raise Failure(f"OPTIONS of {script.path}: {error}") from None
    device = daemon.device
    for address, data in args.memory:
        daemon.memory.add(address, data)
    if args.trace:
        device.trace = stack.enter_context(trace_to(args.trace))
    if args.record:
        daemon.ended = Recorder(args.record).record
    controls = ",controls=on" if len(device.config()) > 12 else ""
    print(QEMU.format(path=args.socket, controls=controls), flush=True)
    if args.interactive:
        converse(daemon)
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: daemon.stop())
        daemon.serve(args.once)
    return BROKEN if device.breaches else 0


def converse(daemon):
    """Serve in a thread, and have a prompt here until its end, which is the device's too."""
    failure = []

    def run():
        try:
            daemon.serve()
        except BaseException as error:
            failure.append(error)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)  # ends the prompt

    thread = threading.Thread(target=run)
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        thread.start()
        Prompt(daemon).interact("`device` is the SoundDevice; Ctrl-D ends it", "")
    except (SystemExit, DaemonError):
        pass  # somebody said exit(), or the thread has ended, which tells why below
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending already
        daemon.stop()
        thread.join()
    if failure:
        raise failure[0]


@contextlib.contextmanager
def trace_to(where):
    """A Trace into a file, or to standard output for "-"."""
    if where == "-":
        yield Trace(sys.stdout)
    else:
        with open(where, "w", encoding="utf-8", buffering=1) as file:
            yield Trace(file)


class Recorder:
    """Writes what streams played and recorded into a folder: START-STREAM.wav, both numbers."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.starts = 0

    def record(self, streams):
        self.starts += 1
        for stream in streams:
            if stream.periods:
                path = self.folder / f"{self.starts}-stream{stream.id}.wav"
                print(f"virtsnd: {write_wav(stream, path)}", flush=True)


def count(text):
    """A number of bytes."""
    if int(text) < 0:
        raise argparse.ArgumentTypeError(f"{text}: it must be 0 or more")
    return int(text)


def memory(text):
    """(address, bytes) from the name of a file and a number."""
    name, _, address = text.rpartition("@")
    if not name:
        raise argparse.ArgumentTypeError(f"{text}: want a file, @, and a physical address")
    try:
        return int(address, 0), Path(name).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name}: {error.strerror}") from None


def fault(text):
    """A Fault from NAME or NAME@N."""
    name, _, nth = text.partition("@")
    found = FAULTS.get(name)
    if found is None:
        raise argparse.ArgumentTypeError(f"{name}: no fault; --faults lists them")
    if not found.possible_in_qemu:
        raise argparse.ArgumentTypeError(f"{name}: not behind QEMU, which has the registers")
    if not nth:
        return found
    if not found.counted or not nth.isdecimal() or int(nth) == 0:
        raise argparse.ArgumentTypeError(f"{text}: want NAME, or NAME@N where N counts from 1")
    return found.at(int(nth))


POSSIBLE = [each for each in FAULTS.values() if each.possible_in_qemu]


def parser():
    top = argparse.ArgumentParser(
        prog="virtsnd",
        description="A strict virtio sound device for QEMU's vhost-user-snd. Each rule that a"
        " driver breaks is one line on standard error.",
        epilog="Exit status: 0, 1 if a driver broke rules, 2 if the command is wrong.",
    )
    option = top.add_argument
    option("socket", metavar="SOCKET", nargs="?", help="a Unix socket, which the device makes")
    option(
        "--script",
        metavar="FILE.py",
        help="what the device has and does: OPTIONS, setup(device); default: one of everything",
    )
    option("--trace", metavar="FILE", help="a line for everything that happens; - for here")
    option("--record", metavar="DIR", help="a WAV file of what each stream played or recorded")
    option(
        "--latency",
        metavar="BYTES",
        type=count,
        help="what every stream holds between a period that is done and its last sound",
    )
    option(
        "--memory",
        metavar="FILE@ADDRESS",
        type=memory,
        action="append",
        default=[],
        help="what the guest has at a physical address and QEMU does not share: a flash (repeat)",
    )
    option(
        "--fault",
        metavar="NAME[@N]",
        type=fault,
        action="append",
        default=[],
        help="misbehave so until the driver starts the device anew; N: the Nth time (repeat)",
    )
    option("--faults", action="store_true", help="list the faults and end")
    option("--once", action="store_true", help="end when the first QEMU leaves")
    option("--interactive", "-i", action="store_true", help="a Python prompt with `device`")
    return top


if __name__ == "__main__":
    sys.exit(main())
