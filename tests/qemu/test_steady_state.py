# SPDX-License-Identifier: MIT
"""While it plays: no allocation, no underrun, and a position, delay and state that make sense."""

import pytest

START = """
import gc, time, vsnd
card = vsnd.open()
period = bytes(480 * 4)
"""


def told(board, program, **options):
    """What the program prints, a list of words; it must end well."""
    result = board.run(START + program, **options)
    assert result.status == 0
    return result.output.split()


def allocated(board, statement):
    """Bytes that 100 times the statement allocates on the heap."""
    program = f"""
odd = bytes(700 * 4)
long = bytes(4000 * 4)
view = memoryview(odd)
def repeat(write, n):
    for _ in range(n):
        {statement}
def measure(write):
    repeat(write, 10)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    repeat(write, 100)
    return gc.mem_alloc() - before
with card.output() as out:
    print(measure(out.write))
"""
    return int(told(board, program)[0])


@pytest.mark.every_board
@pytest.mark.parametrize(
    "statement",
    ["write(period)", "write(period, False)", "write(odd)", "write(view)", "write(long)"],
)
def test_playing_allocates_nothing(board, statement):
    assert allocated(board, statement) == 0


def test_the_measurement_sees_allocations(board):
    # The one above cannot pass because nothing is counted.
    assert allocated(board, "[write]") >= 100 * 32


@pytest.mark.parametrize("copy", [True, False])
def test_five_seconds_without_an_underrun(board, copy):
    program = f"""
with card.output() as out:
    for _ in range(500):
        out.write(period, copy={copy})
    print(out.xruns)
print(out.xruns)
"""
    result = board.run(START + program)
    assert (result.status, result.output) == (0, "0\n0\n")
    assert result.recording.frames == 500 * 480


def test_writing_too_late_is_counted(board):
    program = """
with card.output() as out:
    for _ in range(5): out.write(period)
    time.sleep_ms(200)
    for _ in range(5): out.write(period)
    print(out.xruns)
"""
    assert told(board, program) == ["1"]


def test_playing_takes_the_time_that_it_lasts(board):
    program = """
out = card.output()
for _ in range(4): out.write(period)
start = time.ticks_us()
for _ in range(200): out.write(period)
print(time.ticks_diff(time.ticks_us(), start))
"""
    assert 1_950_000 < int(told(board, program)[0]) < 2_050_000


def test_states_from_birth_to_close(board):
    program = """
out = card.output()
print(out.state)
out.write(period)
print(out.state)
for _ in range(4): out.write(period)
print(out.state)
out.pause(); print(out.state)
out.resume(); print(out.state)
out.drain(); print(out.state)
out.write(period); print(out.state)
out.drop(); print(out.state)
out.close(); print(out.state)
out.close(); print(out.state)
"""
    states = "PREPARED PREPARED RUNNING PAUSED RUNNING SETUP PREPARED SETUP CLOSED CLOSED"
    assert told(board, program) == states.split()


def test_the_device_commands_one_by_one(board):
    program = """
out = card.output()
out.release(); print(out.state)
out.set_params(); print(out.state)
out.prepare(); print(out.state)
for _ in range(4): out.write(period)
out.start(); print(out.state)
time.sleep_ms(100)
out.stop(); print(out.state)
out.release(); print(out.state)
out.close()
"""
    assert told(board, program) == "SETUP SETUP PREPARED RUNNING PAUSED SETUP".split()


def test_position_delay_and_avail(board):
    program = """
out = card.output()
def tell(): print(out.position(), out.delay(), out.avail())
tell()
out.write(bytes(100 * 4)); tell()
out.write(bytes(860 * 4)); tell()
for _ in range(4): out.write(period)
seen = out.position()
time.sleep_ms(500)
tell()
print(seen)
out.drain()
tell()
"""
    told_words = list(map(int, told(board, program)))
    assert told_words[:9] == [0, 0, 1920, 0, 100, 1820, 0, 960, 960]
    assert told_words[9:12] == [6 * 480, 0, 1920]
    assert 480 <= told_words[12] < 6 * 480
    assert told_words[14:] == [0, 1920]


def test_position_and_delay_add_up_to_what_was_written(board):
    program = """
out = card.output()
for n in range(1, 101):
    out.write(period)
    print(out.position() + out.delay() - n * 480, out.delay() + out.avail())
"""
    assert told(board, program) == ["0", "1920"] * 100


def test_no_memory_is_lost_from_play_to_play(board):
    # Neither the heap's nor the device memory's: the second would end in an error.
    program = """
def play(times):
    for _ in range(times):
        with card.output() as out:
            for _ in range(5): out.write(period)
    gc.collect()
    return gc.mem_alloc()
def measure():
    before = play(20)
    return play(300) - before
print(measure())
"""
    assert told(board, program) == ["0"]
