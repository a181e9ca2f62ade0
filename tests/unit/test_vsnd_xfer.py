# SPDX-License-Identifier: MIT
"""modules/vsnd: one period at a time, with tokens."""

import errno

import pytest

from duplex import FEATURES, sound, streams
from sim import IO_ERR, OK
from vsnd_helpers import pattern, refusal, stream


@pytest.fixture(params=["event_idx", "flags-indirect"])
def rig(request, rig_of):
    return rig_of(streams=streams(2, 0), features=FEATURES[request.param])


def test_a_double_buffer(rig):
    # As the Rust driver is used: two buffers, and a token for each.
    out = rig.vsnd.open().output(44100, 2, rig.vsnd.U8, period=2205, periods=2)
    data = pattern(out, 12)
    n = out.period_bytes
    tokens = [out.xfer_nb(data[at : at + n]) for at in (0, n)]
    for at in range(2 * n, len(data), n):
        out.xfer_ok(tokens.pop(0))
        tokens.append(out.xfer_nb(data[at : at + n]))
        assert out.xruns == 0
    for token in tokens:
        out.xfer_ok(token)
    assert stream(rig).played == data
    assert out.position() == 12 * 2205
    out.close()


def test_a_token_waits_for_its_own_period(rig):
    out = rig.vsnd.open().output()
    tokens = [out.xfer_nb(pattern(out)) for _ in range(4)]
    out.start()
    at = rig.clock.now
    for i, token in enumerate(tokens):
        out.xfer_ok(token)
        assert 10_000 * (i + 1) <= rig.clock.now - at < 10_000 * (i + 1) + 1000
    out.xfer_ok(tokens[2])  # again, in any order
    out.xfer_ok(tokens[0])
    out.close()


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2)])
def test_in_whatever_order_they_come_back(rig, order):
    left = list(range(4))

    def pick(pending):
        return left.index(order[4 - len(left)]) if left else 0

    rig.sound.pick = pick
    out = rig.vsnd.open().output()
    tokens = [out.xfer_nb(pattern(out)) for _ in range(4)]
    out.start()
    at = rig.clock.now
    for i, which in enumerate(order):
        out.xfer_ok(tokens[which])
        left.remove(which)
        assert rig.clock.now - at < 10_000 * (i + 1) + 1000
        left_over = [k for k in range(4) if not out._ring.is_back(tokens[k])]
        assert left_over == sorted(left)
    assert out.avail() == 1920
    out.close()


def test_no_more_than_there_are_periods(rig):
    out = rig.vsnd.open().output(periods=3)
    for _ in range(3):
        out.xfer_nb(pattern(out))
    for _ in range(2):
        assert "all periods are queued" in refusal(errno.EAGAIN, out.xfer_nb, pattern(out))
    out.start()
    rig.clock.run(10_100)
    out.xfer_nb(pattern(out))
    out.close()
    assert stream(rig).played == pattern(out) * 4


@pytest.mark.parametrize("n", [4, 100, 1916])
def test_less_than_a_period_is_padded(rig, n):
    out = rig.vsnd.open().output()
    out.xfer_ok(out.xfer_nb(sound(n)))
    out.xfer_ok(out.xfer_nb(sound(1920)))
    assert stream(rig).played == sound(n) + bytes(1920 - n) + sound(1920)
    out.close()


@pytest.mark.parametrize("n", [0, 1921, 3840, 7])
def test_what_is_no_transfer(rig, n):
    out = rig.vsnd.open().output()
    with pytest.raises(ValueError):
        out.xfer_nb(bytes(n))
    out.write(bytes(4))
    with pytest.raises(ValueError, match="after 4 of a period"):
        out.xfer_nb(bytes(1920))
    out.write(bytes(1916))
    out.xfer_nb(bytes(1920))
    out.drop()
    out.close()


def test_what_is_no_token(rig):
    out = rig.vsnd.open().output()
    token = out.xfer_nb(pattern(out))
    for wrong in (token - 1, token + 1, token + 65536, -1):
        with pytest.raises(ValueError, match="no transfer has the token"):
            out.xfer_ok(wrong)
    out.drain()
    out.xfer_ok(token)
    again = out.xfer_nb(pattern(out))
    out.xfer_ok(again)
    out.close()


@pytest.mark.parametrize("start", [0, 65533])
def test_tokens_after_a_stream_that_shared_the_queue(rig, start):
    card = rig.vsnd.open()
    rig.wind(card, 2, start)
    out, other = card.output(period=48), card.output(period=48)
    for _ in range(3):
        out.xfer(pattern(out, 5))
        other.xfer(pattern(other, 2))
    out.drain()
    other.close()
    # It begins anew, alone: that renumbers all slots.
    tokens = [out.xfer_nb(pattern(out)) for _ in range(3)]
    for token in tokens:
        out.xfer_ok(token)
    out.close()
    assert stream(rig).played == pattern(out, 5) * 3 + pattern(out) * 3


def test_without_copies(rig):
    out = rig.vsnd.open().output()
    data = pattern(out, 8)
    parts = memoryview(data)
    n = out.period_bytes
    tokens = [out.xfer_nb(parts[at : at + n], copy=False) for at in range(0, 4 * n, n)]
    for token, at in zip(tokens, range(4 * n, 8 * n, n)):
        out.xfer_ok(token)
        out.xfer_nb(parts[at : at + n], copy=False)
    out.drain()
    assert stream(rig).played == data
    out.close()


# xfer()


@pytest.mark.parametrize("periods", [1, 2, 3, 4, 5, 11])
@pytest.mark.parametrize("extra", [0, 1, 479])
def test_xfer_returns_when_all_was_taken(rig, periods, extra):
    out = rig.vsnd.open().output()
    data = pattern(out, periods, extra)
    at = rig.clock.now
    assert out.xfer(data) == len(data)
    whole = periods + bool(extra)
    assert 10_000 * whole <= rig.clock.now - at < 10_000 * whole + 1000
    padded = data + bytes(-len(data) % 1920)
    assert stream(rig).played == padded
    assert (out.avail(), out.position()) == (1920, 480 * whole)
    out.xfer(data)
    assert stream(rig).played == padded * 2
    out.close()


def test_xfer_of_a_stream_that_does_not_block(rig):
    out = rig.vsnd.open().output()
    out.setblocking(False)
    assert out.xfer(pattern(out, 9, 5)) == 9 * 1920 + 20
    assert stream(rig).played[: 9 * 1920] == pattern(out, 9)
    assert out.write(pattern(out, 9)) == 4 * 1920
    out.drop()
    out.close()


def test_what_the_device_refuses(rig):
    rig.sound.status = lambda stream, number: (IO_ERR if number == 1 else OK, 0)
    out = rig.vsnd.open().output()
    tokens = [out.xfer_nb(pattern(out)) for _ in range(3)]
    out.xfer_ok(tokens[0])
    assert "status 0x8003" in refusal(errno.EIO, out.xfer_ok, tokens[1])
    refusal(errno.EIO, out.xfer, pattern(out, 6))
    out.drop()
    out.xfer(pattern(out, 2))
    out.close()


def test_what_never_comes_back(rig):
    rig.sound.pick = lambda pending: None
    out = rig.vsnd.open().output()
    token = out.xfer_nb(pattern(out))
    assert "transfer not done" in refusal(errno.ETIMEDOUT, out.xfer_ok, token)
    refusal(errno.ETIMEDOUT, out.xfer, pattern(out))
    assert rig.clock.now < 5_000_000
    out.drop()
    out.close()


def test_after_the_end(rig):
    out = rig.vsnd.open().output()
    token = out.xfer_nb(pattern(out))
    out.close()
    assert stream(rig).played == pattern(out)
    for call in (out.xfer_nb, out.xfer):
        assert "CLOSED" in refusal(errno.EPERM, call, pattern(out))
    out.xfer_ok(token)  # it was done
