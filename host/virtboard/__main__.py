# SPDX-License-Identifier: MIT
"""The board's command line: python -m virtboard run | report | picture | rom (--help each)."""

import argparse
import contextlib
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

from virtboard import VirtboardError

FAILED, USAGE = 1, 2  # exit status, besides the guest's own
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
RUN_LIMIT = 120  # s of real time for a run that nobody watches


def main(arguments=None):
    """Runs one command. Returns the exit status: the guest's own, or FAILED, or USAGE."""
    args = parser().parse_args(arguments)
    # A `finally` that ends QEMU runs on an exit, not on a signal.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED_BY_SIGTERM))
    try:
        return args.command(args)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except ModuleNotFoundError as error:
        return complain(f"no Python package {error.name}: pip install -r host/requirements.txt")
    except VirtboardError as error:
        return complain(error)


def complain(error):
    from virtboard.qemu import RunFailed

    print(f"virtboard: {error}", file=sys.stderr)
    return FAILED if isinstance(error, RunFailed) else USAGE


def run(args):
    """Boots the board and tells what it played."""
    from virtboard.qemu import BoardTimeout, Machine, build_folder

    build = build_folder()
    if args.port and args.serial:
        raise VirtboardError("--port and --serial exclude each other")
    elsewhere = args.serial or args.port
    terminal = not (args.headless or elsewhere) and sys.stdin.isatty()
    batch = not (terminal or elsewhere)
    if args.repl and batch:
        raise VirtboardError("a REPL needs a terminal on standard input, or --serial")
    words = [*(["batch"] if batch else []), *(["repl"] if args.repl else []), *args.append.split()]
    if args.device and args.wav:
        raise VirtboardError("--device records its sound itself: python -m virtsnd --record DIR")
    machine = Machine(
        args.firmware or build / "firmware.elf",
        wav=args.wav or build / "run.wav",
        audio=args.audio,
        rate=args.rate,
        streams=args.streams,
        device=args.device or None,
        disk=args.disk,
        memory=args.memory,
        append=" ".join(words),
        terminal=terminal,
        serial=args.serial or ("chardev:uart" if args.port else "stdio"),
        extra=args.qemu_option,
    )
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="virtboard-"))
        if args.rom is not None:
            machine.rom = rom_image(args.rom, folder)
        if args.port:
            serve(machine, stack.enter_context(listening(args.port)))
        try:
            result = start(machine, args.timeout or (RUN_LIMIT if batch else None))
        except BoardTimeout as late:
            tell(late.result)
            raise
    for line in result.failures:
        print(f"virtboard: {line}", file=sys.stderr)
    if result.status and not result.failures:
        print(f"virtboard: the board ended with status {result.status}", file=sys.stderr)
    tell(result)
    return result.status


def listening(port):
    """A socket that listens on a TCP port of this computer, for nobody else."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        reason = os.strerror(error.errno)
        raise VirtboardError(f"cannot serve on 127.0.0.1:{port}: {reason}") from None


def serve(machine, server):
    """Lets a machine, which is not started yet, have its UART on a socket that listens already."""
    options = f"socket,id=uart,fd={server.fileno()},server=on,wait=off,nodelay=on"
    machine.extra = ["-chardev", options, *machine.extra]
    machine.inherited = (server.fileno(),)
    where = f"socket://127.0.0.1:{server.getsockname()[1]}"
    print(f"The board's serial port: mpremote connect {where} (Ctrl-C ends the board)", flush=True)


def start(machine, limit):
    """Runs the board, here if it has the terminal, until it ends. Returns the Result."""
    if machine.terminal:
        print("Ctrl-A X quits, Ctrl-C interrupts the program", flush=True)
        return machine.interact(limit, echo_errors=writer(sys.stderr))
    return machine.run(limit, writer(sys.stdout), writer(sys.stderr))


def tell(result):
    """Prints what was recorded, if anything was meant to be."""
    if result.wav:
        print(result.recording.report(), flush=True)


def rom_image(folder, where):
    from virtboard.rom import write_image

    image = Path(where, "rom.img")
    write_image(folder, image)
    return image


def writer(stream):
    """Something that writes bytes to a text stream at once."""

    def write(data):
        stream.buffer.write(data)
        stream.buffer.flush()

    stream.flush()
    return write


def report(args):
    """Tells what is in a recording."""
    from virtboard.recording import Recording

    print(Recording(args.file).report())
    return 0


def picture(args):
    """Draws a recording."""
    from virtboard.picture import draw
    from virtboard.recording import Recording

    draw(Recording(args.file), args.drawing)
    return 0


def rom(args):
    """Packs a folder."""
    from virtboard.rom import write_image

    print(f"{args.image}: {write_image(args.folder, args.image)} bytes")
    return 0


def seconds(text):
    """A time limit: a number above 0."""
    if not float(text) > 0:
        raise argparse.ArgumentTypeError(f"{text} s is no time limit: it must be above 0")
    return float(text)


def tcp_port(text):
    """A TCP port: 1 to 65535."""
    if not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no TCP port: 1 to 65535")
    return int(text)


def parser():
    """The commands and options. The environment's ROM, AUDIO, WAV, RATE and so on are defaults."""
    top = argparse.ArgumentParser(prog="virtboard", description="A MicroPython board in QEMU.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(function, **options):
        sub = commands.add_parser(function.__name__, help=function.__doc__, **options)
        sub.set_defaults(command=function)
        return sub

    of_run = command(
        run,
        description="Boots the board. With a terminal on standard input it is yours, in real"
        " time; else the program at boot runs, in virtual time, and its status is the command's.",
    )
    option = of_run.add_argument
    default = os.environ.get
    option("--rom", metavar="DIR", default=default("ROM"), help="the guest's /rom ($ROM)")
    option(
        "--disk",
        metavar="PATH",
        default=default("DISK"),
        help="the guest's /disk: an image, made on first use, or a folder, read-only ($DISK)",
    )
    option("--wav", metavar="FILE", default=default("WAV"), help="the recording ($WAV)")
    option(
        "--audio",
        metavar="DRIVER",
        default=default("AUDIO") or "wav",
        help="where sound goes: wav, none, or to this computer: alsa, pa, pipewire, sdl, coreaudio"
        " ($AUDIO; default wav)",
    )
    # A default given as text is converted, and refused, like an argument.
    option("--rate", metavar="HZ", type=int, default=default("RATE") or "48000", help="($RATE)")
    option(
        "--streams",
        metavar="N",
        type=int,
        default=default("STREAMS") or "1",
        help="default 1; 2 has an input too ($STREAMS)",
    )
    option(
        "--device",
        metavar="SOCKET",
        default=default("DEVICE"),
        help="a sound card of its own, in real time: python -m virtsnd SOCKET ($DEVICE)",
    )
    option("--repl", action="store_true", help="a REPL only: no program at boot")
    option("--headless", action="store_true", help="do not use the terminal")
    option("--timeout", metavar="S", type=seconds, help=f"real time; headless {RUN_LIMIT} s")
    option("--firmware", metavar="FILE", help="default build/$BOARD/firmware.elf")
    option("--memory", metavar="SIZE", default="128M", help="default 128M")
    option("--append", metavar="WORDS", default="", help="more words for the guest")
    option(
        "--serial",
        metavar="DEVICE",
        help="the guest's UART elsewhere, in real time: tcp:127.0.0.1:4444,server=on,wait=off is"
        " socket://127.0.0.1:4444 for mpremote",
    )
    option(
        "--port",
        metavar="N",
        type=tcp_port,
        help="the guest's UART on TCP port N of 127.0.0.1, in real time",
    )
    option("--qemu-option", metavar="WORD", action="append", default=[], help="for QEMU (repeat)")

    of_report = command(report)
    of_report.add_argument("file", metavar="FILE")
    of_picture = command(picture)
    of_picture.add_argument("file", metavar="FILE")
    of_picture.add_argument("drawing", metavar="OUT", help="an .svg or a .png")
    of_rom = command(rom)
    of_rom.add_argument("folder", metavar="DIR")
    of_rom.add_argument("image", metavar="OUT.img")
    return top


if __name__ == "__main__":
    sys.exit(main())
