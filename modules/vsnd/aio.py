# SPDX-License-Identifier: MIT
"""asyncio: waiting for what has an ioctl(), by the poll of the event loop.

While a task waits for a stream, it is the polls that move its samples: the task is woken once,
when all is done. To wake it for each half of the ring would cost twice as much.
"""

from asyncio import core
import errno
from machine import Timer
from micropython import const
from .pcm import CLOSED, DRAINING, POLLOUT, RUNNING

_POLL = const(3)  # as in pcm
_POLLERR = const(8)

# What stands in a job.
_AT = const(0)  # up to where all was moved
_ERROR = const(1)  # the exception that ended it
_BACK = const(2)  # slots that the device had returned at the timer's last look


def _alone(stream, index):
    # asyncio would forget the task that waits already, without a word.
    waiting = core._io_queue.map.get(id(stream))
    if waiting and waiting[index]:
        raise OSError(errno.EBUSY, "another task waits for %r" % (stream,))


async def readable(stream):
    """Return when `stream` can be read. OSError(EBUSY) if another task waits for that."""
    _alone(stream, 0)
    yield core._io_queue.queue_read(stream)


async def writable(stream):
    """Return when `stream` can be written. OSError(EBUSY) if another task waits for that."""
    _alone(stream, 1)
    yield core._io_queue.queue_write(stream)


async def transfer(stream, ring, move, n, stuck):
    """Move n bytes through an Output or Input; return how many. Less only if it has ended.

    `ring` is the stream's. move(at) moves what can be moved at once from byte `at` on, and
    returns up to where, or None. Raises what it raises; OSError(EBUSY) if another task waits;
    OSError(ETIMEDOUT), which says `stuck`, if the stream runs and nothing comes back from the
    device in one to two times what a blocking call waits.
    """
    _alone(stream, stream.ready_flag == POLLOUT)  # before anything is moved in between
    job = [move(0) or 0, None, -1]
    if job[_AT] == n or stream.ended():
        return job[_AT]
    ready = writable if stream.ready_flag == POLLOUT else readable
    look = _watch(stream, ring, job, stuck)
    timer = Timer(-1, mode=Timer.PERIODIC, period=stream._wait_ms, callback=look)
    try:
        while job[_AT] != n and not stream.ended():
            before = stream.ioctl
            stream.ioctl = _poller(stream, ring, move, n, job)
            try:
                await ready(stream)
            finally:
                stream.ioctl = before
            if job[_ERROR]:
                raise job[_ERROR]
            stream.check()
    finally:
        timer.deinit()
    return job[_AT]


def _watch(stream, ring, job, stuck):
    # What the timer calls: the event loop sleeps as long as it is told, for ever if need be.
    def look(_):
        back = ring.submitted() - ring.in_flight()
        if stream._state is RUNNING and back == job[_BACK]:
            job[_ERROR] = stream.late(stuck)
        job[_BACK] = back

    return look


def _poller(stream, ring, move, n, job):
    # The stream's ioctl() meanwhile. As in the data paths, names come in by default arguments.
    def ioctl(
        request,
        flags,
        stream=stream,
        ring=ring,
        due=ring.readiness(),
        move=move,
        n=n,
        job=job,
        device=ring.device,
        running=RUNNING,
        at=0,
        state=None,
    ):
        if request != _POLL:
            return type(stream).ioctl(stream, request, flags)
        if job[_ERROR]:
            return flags | _POLLERR
        try:
            state = stream._state
            at = job[_AT]
            if due(n - at) if state is running else state in (CLOSED, DRAINING) or stream.ready():
                job[_AT] = at = move(at) or at
                if at == n or stream.ended():
                    return flags
            if not device.error and not ring.error:
                return 0
        except Exception as error:  # the task's, not the event loop's
            job[_ERROR] = error
        return flags | _POLLERR

    return ioctl
