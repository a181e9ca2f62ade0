# SPDX-License-Identifier: MIT
"""bench/soak.py in short: all is recorded in real time too, with every processor busy."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import soak


def test_what_is_played_on_a_busy_computer_is_complete(firmware):
    heard = []
    with soak.busy(os.cpu_count()):
        one = soak.play(firmware, 480, 4, 2, tell=lambda *told: heard.append(told))
    # play() has compared the samples. How many xruns there were is no matter here.
    assert one.frames == 2 * soak.RATE
    assert heard[-1][:2] == (one.frames, one.xruns)


def test_a_period_that_is_missing_is_noticed(firmware, monkeypatch, tmp_path):
    program = soak.GUEST.read_text().replace("at == end", "at > 4000 and at < 6000 or at == end")
    (tmp_path / "soak.py").write_text(program)
    monkeypatch.setattr(soak, "GUEST", tmp_path / "soak.py")
    with pytest.raises(soak.Failed, match="4 x 480: the recording is wrong: frame 1440: "):
        soak.play(firmware, 480, 4, 1, icount=True)


def test_the_smallest_ring_in_virtual_time(firmware):
    tried = {}

    def trial(period, periods):
        tried[periods] = soak.play(firmware, period, periods, 1, icount=True)
        return tried[periods]

    # QEMU's mixing buffer takes 1024 frames at the first tick: two periods are not enough.
    assert soak.smallest(trial, 480) is tried[3]
    assert tried[3].xruns == 0 and tried[2].xruns > 0
