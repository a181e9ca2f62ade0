# SPDX-License-Identifier: MIT
"""Programs that hear a file, and what they tell of it."""

import base64
import os

import numpy as np
import pytest
from virtboard import tools
from virtboard.qemu import audio_drivers

START = """
import binascii, vsnd
def tell(buf): print(binascii.b2a_base64(buf, newline=False).decode())
card = vsnd.open()
"""


def noise(count, seed=5):
    """Bytes, of which no mistake leaves a part in its place."""
    return np.random.default_rng(seed).bytes(count)


def run(board, program, feed=None, **options):
    """Runs a program that hears `feed`, bytes; it must end well. Returns its Result."""
    if feed is not None:
        # When a feed ends it goes on with its last part: here, with something else.
        options["feed"] = board.folder / "feed"
        options["feed"].write_bytes(feed + b"the end!" * 100000)
    options = {"audio": "files", "streams": 2} | options
    if options["audio"] == "files" and not os.environ.get("CI"):
        if "alsa" not in audio_drivers(tools.TOOLS / "bin" / "qemu-system-riscv64"):
            pytest.skip("this QEMU has no audio driver `alsa`, which reads and writes files")
    result = board.run(START + program, **options)
    assert result.status == 0
    return result


def told(result):
    """What the program told, a list of bytes objects."""
    return [base64.b64decode(line, validate=True) for line in result.output.split()]


def pieces(feed, parts):
    """Where in the feed each part is, one behind the other."""
    places, at = [], 0
    for part in parts:
        at = feed.find(part, at)
        assert at >= 0
        places.append(at)
        at += len(part)
    return places
