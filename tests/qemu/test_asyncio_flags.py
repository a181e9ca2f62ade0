# SPDX-License-Identifier: MIT
"""asyncio.ThreadSafeFlag and select.poll: an interrupt handler wakes who sleeps, at once."""

import pytest

# alarm(ms): the board's RTC raises PLIC source 11 so much later.
ALARM = """
import asyncio, machine, micropython, select, time, virt

RTC = 0x101000
def alarm(ms):
    low = machine.mem32[RTC] & 0xffffffff
    at = (machine.mem32[RTC + 4] << 32 | low) + ms * 1000000
    machine.mem32[RTC + 0x0c] = at >> 32
    machine.mem32[RTC + 0x08] = at & 0xffffffff

def quiet():
    machine.mem32[RTC + 0x1c] = 1

machine.mem32[RTC + 0x10] = 1
flag = asyncio.ThreadSafeFlag()

def since(start):
    return time.ticks_diff(time.ticks_us(), start)
"""


def lines(board, program):
    result = board.run(ALARM + program)
    assert result.status == 0, result.output + result.errors
    return result.output.splitlines()


def test_a_handler_wakes_a_task(board):
    program = """
def handler(source):
    quiet()
    seen.append(source)
    flag.set()

async def waiter():
    for ms in (1, 10, 250, 3000):
        start = time.ticks_us()
        alarm(ms)
        await flag.wait()
        late = since(start) - 1000 * ms
        print(ms, 0 <= late < 1000)

async def sleeper():
    global naps
    while True:
        await asyncio.sleep_ms(100)
        naps += 1

seen, naps = [], 0
virt.irq(11, handler)
async def main():
    task = asyncio.create_task(sleeper())
    await waiter()
    task.cancel()
asyncio.run(main())
print(seen, naps)
"""
    assert lines(board, program) == [
        "1 True", "10 True", "250 True", "3000 True", "[11, 11, 11, 11] 32"
    ]


def test_who_waits_for_a_flag_only_sleeps(board):
    # Nothing else is due: the wait has no time limit of its own.
    program = """
def handler(source):
    quiet()
    flag.set()

virt.irq(11, handler)
async def cost(ms):
    alarm(ms)
    start = time.ticks_cpu()
    await flag.wait()
    return time.ticks_diff(time.ticks_cpu(), start)

async def main():
    await cost(10)
    short, long = await cost(10), await cost(100000)
    print(abs(long - short) < 2000, long)
asyncio.run(main())
"""
    same, count = lines(board, program)[0].split()
    assert same == "True", f"{count} instructions"


def test_a_flag_that_is_set_before_is_not_lost(board):
    program = """
async def main():
    flag.set()
    flag.set()
    await flag.wait()
    try:
        await asyncio.wait_for_ms(flag.wait(), 50)
    except asyncio.TimeoutError:
        print("once")
    flag.set()
    flag.clear()
    try:
        await asyncio.wait_for_ms(flag.wait(), 50)
    except asyncio.TimeoutError:
        print("cleared")
asyncio.run(main())
"""
    assert lines(board, program) == ["once", "cleared"]


def test_each_of_a_thousand_interrupts_is_seen(board):
    program = """
def handler(source):
    global count
    quiet()
    count += 1
    flag.set()
    if count < 1000:
        alarm(20)  # longer than a collection

count = turns = 0
virt.irq(11, handler)
async def main():
    global turns
    alarm(1)
    while count < 1000:
        await asyncio.wait_for(flag.wait(), 1)
        turns += 1
asyncio.run(main())
print(count, turns)
"""
    assert lines(board, program) == ["1000 1000"]


@pytest.mark.parametrize("nap", ["", "time.sleep_ms(1)", "virt.wait(1)", "select.poll().poll(1)"])
@pytest.mark.parametrize("scheduled", ["by an interrupt", "by a program"])
def test_what_happens_just_before_the_sleep_ends_it(board, scheduled, nap):
    # The function runs after poll() has looked at the flag, and before it sleeps. What it does
    # itself, sleeping too, does not use up the wake-up.
    act = "alarm(0)" if scheduled == "by an interrupt" else "micropython.schedule(act, 0)"
    program = f"""
import io

def act(_):
    quiet()
    flag.set()
    {nap or 'pass'}

class Late(io.IOBase):
    armed = True
    def ioctl(self, request, flags):
        if self.armed:
            self.armed = False
            {act}
        return 0

virt.irq(11, act)
poller = select.poll()
poller.register(flag, select.POLLIN)
poller.register(Late(), select.POLLIN)
start = time.ticks_us()
events = poller.poll(1000)
print(len(events), events[0][0] is flag, since(start) < 5000)
"""
    assert lines(board, program) == ["1 True True"]


def test_poll_ends_in_time(board):
    program = """
poller = select.poll()
poller.register(flag, select.POLLIN)
for ms in (0, 1, 100, 2000):
    start = time.ticks_us()
    events = poller.poll(ms)
    print(events, -1 <= since(start) // 1000 - ms <= 1)  # it counts in ms
"""
    assert lines(board, program) == 4 * ["[] True"]
