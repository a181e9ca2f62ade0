# SPDX-License-Identifier: MIT
"""modules/vsnd: every call in every state, from the program and from callbacks."""

import errno

import pytest

from duplex import FEATURES, read, sound, streams
from sim import IO_ERR
from vsnd_helpers import pattern, refusal, stream

STATES = ("SETUP", "PREPARED", "RUNNING", "PAUSED", "CLOSED")
NO = None  # OSError(EPERM)

# By call, then by state: the requests that go out; NO if the call must not be.
BOTH = {
    "set_params": (["SET_PARAMS"], ["SET_PARAMS"], NO, NO, NO),
    "prepare": (["PREPARE"], ["PREPARE"], NO, NO, NO),
    "start": (NO, ["START"], [], ["START"], NO),
    "stop": (NO, NO, ["STOP"], [], NO),
    "release": (NO, ["RELEASE"], NO, ["RELEASE"], NO),
    "pause": ([], [], ["STOP"], [], []),
    "resume": ([], [], [], ["START"], []),
    "drop": ([], ["RELEASE"], ["STOP", "RELEASE"], ["RELEASE"], []),
    "abort": ([], ["RELEASE"], ["STOP", "RELEASE"], ["RELEASE"], []),
    "drain": ([], ["RELEASE"], ["STOP", "RELEASE"], ["RELEASE"], NO),
    "close": ([], ["RELEASE"], ["STOP", "RELEASE"], ["RELEASE"], []),
}
OUT = BOTH | {
    "write": (["PREPARE"], [], [], [], NO),
    "xfer_nb": (["PREPARE"], [], [], [], NO),
    "xfer": (["PREPARE", "START"], ["START"], [], "resume", NO),
}
IN = BOTH | {
    "readinto": (["PREPARE", "START"], ["START"], [], "resume", NO),
    "read": (["PREPARE", "START"], ["START"], [], "resume", NO),
}
# What the state is afterwards; if a call is not here, as before.
AFTER = {
    "set_params": "SETUP", "prepare": "PREPARED", "start": "RUNNING", "stop": "PAUSED",
    "release": "SETUP", "abort": "CLOSED", "close": "CLOSED", "xfer": "XRUN",
    "readinto": "RUNNING", "read": "RUNNING",
}
MOVES = {
    ("pause", "RUNNING"): "PAUSED", ("resume", "PAUSED"): "RUNNING",
    ("drop", "CLOSED"): "CLOSED", ("drain", "CLOSED"): "CLOSED",
    ("write", "SETUP"): "PREPARED", ("xfer_nb", "SETUP"): "PREPARED",
}
WAYS = {
    "SETUP": ("drop",), "PREPARED": (), "RUNNING": ("start",), "PAUSED": ("start", "stop"),
    "CLOSED": ("abort",),
}


def brought(rig, direction, state, **parameters):
    """A stream in that state; nothing was written or read."""
    card = rig.vsnd.open()
    pcm = card.output(**parameters) if direction == "out" else card.input(**parameters)
    for call in WAYS[state]:
        getattr(pcm, call)()
    assert pcm.state == state
    return pcm


def arguments(pcm, call):
    data = bytearray(pcm.period_bytes)
    return {"write": (data,), "xfer_nb": (data,), "xfer": (data,), "readinto": (data,),
            "read": (4,)}.get(call, ())


@pytest.fixture(params=["event_idx", "flags-indirect"])
def rig(request, rig_of):
    return rig_of(streams=streams(1, 1), features=FEATURES[request.param])


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    ("direction", "call"), [("out", call) for call in OUT] + [("in", call) for call in IN]
)
def test_every_call_in_every_state(rig, direction, call, state):
    rig.vsnd.open()
    free = rig.dma.available()
    pcm = brought(rig, direction, state)
    wanted = {"out": OUT, "in": IN}[direction][call][STATES.index(state)]
    before = len(rig.sound.requests)
    run = getattr(pcm, call)
    if wanted == "resume":  # it would wait for what a paused stream does not do
        refusal(errno.ETIMEDOUT if call == "xfer" else errno.EAGAIN, run, *arguments(pcm, call))
        assert rig.sound.names()[before:] == []
        assert pcm.state == state
        return
    if wanted is NO:
        what = {"xfer": "write", "read": "readinto"}.get(call, call)
        assert f"{what} in state {state}" in refusal(errno.EPERM, run, *arguments(pcm, call))
        wanted, after = [], state
    else:
        run(*arguments(pcm, call))
        after = AFTER.get(call) or MOVES.get((call, state), state)
        if call in ("drop", "drain") and state != "CLOSED":
            after = "SETUP"
    assert rig.sound.names()[before:] == wanted
    assert pcm.state == after
    # And it can still be used, or is closed for good.
    if after != "CLOSED":
        pcm.drop()
        if direction == "out":
            pcm.write(pattern(pcm, 6))
            pcm.drain()
            assert stream(rig).played[-6 * pcm.period_bytes :] == pattern(pcm, 6)
        else:
            at = stream(rig, 1).fed
            assert read(pcm, 700) == sound(100_000, 1)[at : at + 2800]
        pcm.close()
    names = list(rig.sound.names())
    pcm.close()
    assert rig.sound.names() == names
    assert rig.dma.available() == free


@pytest.mark.parametrize("direction", ["out", "in"])
@pytest.mark.parametrize("call", ["start", "stop", "pause", "resume", "drop", "drain", "close"])
def test_twice_is_once(rig, direction, call):
    first = {"stop": "RUNNING", "pause": "RUNNING", "resume": "PAUSED"}.get(call, "PREPARED")
    pcm = brought(rig, direction, first)
    getattr(pcm, call)()
    state, names = pcm.state, list(rig.sound.names())
    getattr(pcm, call)()
    assert (pcm.state, rig.sound.names()) == (state, names)


@pytest.mark.parametrize("direction", ["out", "in"])
@pytest.mark.parametrize(
    ("call", "name", "state"),
    [("prepare", "PREPARE", "SETUP"), ("start", "START", "PREPARED"), ("start", "START", "PAUSED"),
     ("stop", "STOP", "RUNNING"), ("release", "RELEASE", "PREPARED"),
     ("release", "RELEASE", "PAUSED"), ("set_params", "SET_PARAMS", "SETUP")],
)
def test_what_the_device_refuses_did_not_happen(rig, direction, call, name, state):
    pcm = brought(rig, direction, state)
    rig.sound.script[name].append(IO_ERR)
    # The device of the tests carries it out before it refuses: it must not.
    handler = rig.sound.handlers[name]
    rig.sound.handlers[name] = lambda request, room: lambda: None
    assert f"PCM_{name}: IO_ERR" in refusal(errno.EIO, getattr(pcm, call))
    rig.sound.handlers[name] = handler
    assert pcm.state == state
    getattr(pcm, call)()
    pcm.close()


def test_prepare_again_with_sound_queued(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 2, 100))
    out.prepare()
    assert (out.avail(), out.position()) == (2 * 480 - 100, 0)
    out.write(pattern(out, 3)[400:])
    out.drain()
    assert out.position() == 5 * 480
    assert stream(rig).played == pattern(out, 2, 100) + pattern(out, 3)[400:]
    out.close()


def test_set_params_not_with_sound_queued(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 2))
    names = list(rig.sound.names())
    assert "release() first" in refusal(errno.EPERM, out.set_params)
    assert rig.sound.names() == names
    out.release()
    out.set_params()
    out.write(pattern(out, 2))
    out.close()
    assert stream(rig).played == pattern(out, 2)


def test_a_second_recording_by_hand(rig):
    mic = rig.vsnd.open().input()
    for call in ("start", "stop", "release", "set_params", "prepare", "start"):
        getattr(mic, call)()
    at = stream(rig, 1).fed
    assert read(mic, 1000) == sound(100_000, 1)[at : at + 4000]
    mic.close()


# From a callback, while the program sleeps


def soon(rig, call, us=30_500):
    """Let a scheduled function run so much later, as one of a timer."""

    def due():
        rig.board._schedule(lambda _: call(), None)
        rig.board._interrupted = True

    rig.clock.at(rig.clock.now + us, due)


@pytest.mark.parametrize(
    ("call", "state"),
    [("drop", "SETUP"), ("close", "CLOSED"), ("abort", "CLOSED"), ("drain", "SETUP")],
)
def test_what_ends_an_output_ends_its_write(rig, call, state):
    out = rig.vsnd.open().output()
    soon(rig, getattr(out, call))
    at = rig.clock.now
    assert f"write in state {state}" in refusal(errno.EPERM, out.write, pattern(out, 40))
    assert rig.clock.now - at < 300_000
    assert out.state == state
    s = stream(rig)
    data = bytes(s.played + s.dropped)
    assert data == pattern(out, 40)[: len(data)]
    if state == "SETUP":
        del s.played[:]
        out.write(pattern(out, 7))
        out.close()
        assert s.played == pattern(out, 7)


@pytest.mark.parametrize(
    ("call", "state"), [("drop", "SETUP"), ("close", "CLOSED"), ("abort", "CLOSED")]
)
def test_what_ends_an_output_ends_its_drain(rig, call, state):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 4))
    soon(rig, getattr(out, call) if call != "close" else out.abort)
    out.drain()
    assert out.state == state
    out.close()
    assert rig.sound.names()[-2:] == ["STOP", "RELEASE"]


def test_stopped_by_a_callback_while_it_drains(rig):
    out = rig.vsnd.open().output()
    out.write(pattern(out, 4))
    soon(rig, out.stop)
    refusal(errno.ETIMEDOUT, out.drain)
    assert out.state == "PAUSED"
    out.close()
    assert stream(rig).played == pattern(out, 4)


def test_paused_by_a_callback_and_resumed_by_another(rig):
    out = rig.vsnd.open().output()
    soon(rig, out.pause, 20_500)
    soon(rig, out.resume, 220_500)
    out.write(pattern(out, 40))
    out.close()
    assert stream(rig).played == pattern(out, 40)
    assert rig.sound.names().count("STOP") == 2


def test_something_else_is_played_by_a_callback(rig):
    out = rig.vsnd.open().output()
    beep = b"\x55" * out.period_bytes

    def instead():
        out.drop()
        out.write(beep)

    soon(rig, instead)
    out.write(pattern(out, 40))
    out.close()
    s = stream(rig)
    at = s.played.index(beep)
    assert bytes(s.played[:at]) == pattern(out, 40)[:at]
    after = bytes(s.played[at + len(beep) :])
    assert pattern(out, 40).endswith(after)
    assert at + len(s.dropped) + len(after) == 40 * len(beep)


@pytest.mark.parametrize(
    ("call", "state"), [("drop", "SETUP"), ("close", "CLOSED"), ("abort", "CLOSED")]
)
def test_what_ends_an_input_ends_its_readinto(rig, call, state):
    mic = rig.vsnd.open().input()
    soon(rig, getattr(mic, call))
    at = rig.clock.now
    assert f"readinto in state {state}" in refusal(errno.EPERM, read, mic, 480 * 40)
    assert rig.clock.now - at < 300_000
    assert mic.state == state


@pytest.mark.parametrize("frames", [100, 480, 1000])
def test_drain_by_a_callback_is_the_end_of_a_recording(rig, frames):
    mic = rig.vsnd.open().input()
    mic.start()
    soon(rig, mic.drain, frames * 1_000_000 / 48000)
    buf = bytearray(480 * 40 * 4)
    n = mic.readinto(buf)
    assert buf[:n] == stream(rig, 1).recorded == sound(n, 1)
    assert frames <= n // 4 < frames + 10
    assert mic.readinto(buf) == 0


@pytest.mark.parametrize("direction", ["out", "in"])
def test_ctrl_c_while_it_waits(rig, direction):
    card = rig.vsnd.open()
    out, mic = card.output(), card.input()

    def ctrl_c():
        raise KeyboardInterrupt

    soon(rig, ctrl_c)
    if direction == "out":
        with pytest.raises(KeyboardInterrupt):
            out.write(pattern(out, 40))
        out.drop()
        del stream(rig).played[:]
    else:
        with pytest.raises(KeyboardInterrupt):
            read(mic, 40 * 480)
        assert read(mic, 100) != read(mic, 100)
        mic.drop()
    rig.board._locked = False
    at = stream(rig, 1).fed
    out.write(pattern(out, 10))
    assert read(mic, 600) == sound(100_000, 1)[at : at + 2400]
    out.close()
    mic.close()
    assert stream(rig).played == pattern(out, 10)


def test_ctrl_c_while_a_card_closes_ends_its_streams(rig, monkeypatch):
    card = rig.vsnd.open()
    out, mic = card.output(), card.input()
    out.write(pattern(out, 10))
    mic.start()
    request = card.request

    def ctrl_c(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(card, "request", ctrl_c, raising=False)
    with pytest.raises(KeyboardInterrupt):
        card.close()
    monkeypatch.setattr(card, "request", request)
    for pcm in out, mic:
        assert pcm.state == "CLOSED"
        with pytest.raises(OSError, match="in state CLOSED"):
            pcm.stop()
    card.reset()
    del stream(rig).played[:]
    with card.output() as out:
        out.write(pattern(out, 10))
    assert stream(rig).played == pattern(out, 10)
    card.close()
