# SPDX-License-Identifier: MIT
"""Raw files as the ends of QEMU's sound: one that the card hears, one of what it plays.

QEMU itself reads no file; its driver `alsa` does, with alsa-lib's plugin `file` over `null`. No
sound hardware takes part. The files hold samples alone, without a header, in the format of QEMU's
own end, or in the guest's for a raw recording. They have no pace: as many frames come and go
as there is room for, and nothing is lost. When the feed ends, its last part is heard again and
again. Without a mixing engine, QEMU reads no more than the guest asks for; with one it has read up
to BUFFER_US ahead when a stream is stopped.
"""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

BUFFER_US = 1_000_000  # a longer period of the guest would hear nothing, see COMPLAINTS

# For -audiodev. Without polling, which has nothing to wait for, QEMU's timer does all.
OPTIONS = ["in.dev=feed", "in.try-poll=off", "out.dev=played", "out.try-poll=off"]
OPTIONS += [f"in.buffer-length={BUFFER_US}"]

# What QEMU and alsa-lib say before they go on without (part of) the feed.
COMPLAINTS = {
    "Could not create a backend for voice `virtio-sound.in'": "the sound card has no input",
    "requested more frames than pcm buffer": "alsa-lib fed silence, for a period of more than 1 s",
}

SILENCE = "pcm.feed { type null }"
FEED = """pcm.feed {
    type file  slave.pcm { type null }  format raw  file "/dev/null"  infile "%s/feed"
}"""
PLAYED = """pcm.played {
    type file  slave.pcm { type null }  format raw  file "%s/played"
}"""


@contextmanager
def files(feed):
    """(environment for QEMU, path of what is played), for as long as the block lasts.

    feed: path of the samples to hear, None for silence.
    """
    # A link, because file names in alsa-lib's language have rules of their own.
    with tempfile.TemporaryDirectory(prefix="virtboard-") as folder:
        configuration = [SILENCE if feed is None else FEED % folder, PLAYED % folder]
        if feed is not None:
            Path(folder, "feed").symlink_to(Path(feed).resolve())
        played = Path(folder, "played")
        played.touch()
        path = Path(folder, "alsa.conf")
        path.write_text("\n".join(configuration))
        yield os.environ | {"ALSA_CONFIG_PATH": str(path)}, played
