# SPDX-License-Identifier: MIT
"""virtsnd.vhost_user: what QEMU says to the device, and what nobody should."""

import os
import random
import struct
import threading
import time

import pytest
import vhost_front as front
from vhost_front import BASE, BUFFERS, OK, Front, open_files, set_params, u32, u64


@pytest.fixture
def qemu(sound_card):
    """A Front that has greeted a device with one output; `card` is its device."""
    card = sound_card()
    with Front(card.path) as qemu:
        qemu.card = card
        yield qemu.greet()


# Messages


def test_what_qemu_hears_when_it_starts(qemu):
    assert qemu.offered == 1 << 29 | 1 << 30 | 1 << 32
    assert qemu.ask(front.GET_PROTOCOL_FEATURES) == struct.pack("<Q", 0x10229)
    assert qemu.ask(front.GET_QUEUE_NUM) == struct.pack("<Q", 4)


def test_status_is_kept(qemu):
    assert qemu.ask(40) == bytes(8)
    qemu.send(39, struct.pack("<Q", 8))
    assert qemu.ask(40) == struct.pack("<Q", 8)


def test_the_answer_has_the_size_of_the_question(qemu):
    question = struct.pack("<III", 0, 16, 0)
    assert qemu.ask(front.GET_CONFIG, question + bytes(16)) == question + struct.pack(
        "<IIII", 0, 1, 0, 0
    )
    question = struct.pack("<III", 4, 4, 0)
    assert qemu.ask(front.GET_CONFIG, question + bytes(4)) == question + struct.pack("<I", 1)


def test_a_message_in_pieces(qemu):
    message = struct.pack("<III", front.GET_QUEUE_NUM, 1, 0)
    for i in range(len(message)):
        qemu.socket.sendall(message[i : i + 1])
    assert qemu.receive() == (front.GET_QUEUE_NUM, 5, struct.pack("<Q", 4))


def test_two_messages_at_once(qemu):
    message = struct.pack("<III", front.GET_QUEUE_NUM, 1, 0)
    qemu.socket.sendall(message * 2)
    assert qemu.receive() == qemu.receive() == (front.GET_QUEUE_NUM, 5, struct.pack("<Q", 4))


def test_an_unknown_message_that_is_not_waited_for_in_vain(qemu):
    assert qemu.ask(99, bytes(8), flags=9) == struct.pack("<Q", 1)
    assert qemu.card.said == ["message 99 refused: not known here"]
    assert qemu.ask(front.GET_QUEUE_NUM) == struct.pack("<Q", 4)


def test_a_change_of_the_configuration_is_told(qemu):
    qemu.card.call(qemu.card._daemon.config_changed)
    assert qemu.channel.recv(100) == struct.pack("<III", 2, 1, 0)


def test_nobody_listens_to_changes(qemu):
    # The channel fills up, and its other end goes away: neither holds the device up.
    for _ in range(10000):
        qemu.card.call(qemu.card._daemon.config_changed)
    assert qemu.ask(front.GET_QUEUE_NUM) == struct.pack("<Q", 4)


MALFORMED = [
    # request, body, how many descriptors, flags, what is said
    (1, b"", 0, 2, "message 1 of version 2, want 1"),
    (1, b"", 1, 1, "GET_FEATURES with 1 file descriptors, want 0"),
    (1, bytes(8), 0, 1, "GET_FEATURES of 8 bytes, want 0"),
    (2, bytes(4), 0, 1, "SET_FEATURES of 4 bytes, want 8"),
    (2, u64(1 << 32), 0, 1, "SET_FEATURES without PROTOCOL_FEATURES (bit 30)"),
    (5, b"", 0, 1, "SET_MEM_TABLE of 0 bytes, want 8 at least"),
    (5, u32(2, 0) + bytes(32), 1, 1, "SET_MEM_TABLE: 2 regions in 40 bytes with 1 descriptors"),
    (5, u32(1, 0) + bytes(32), 0, 1, "SET_MEM_TABLE: 1 regions in 40 bytes with 0 descriptors"),
    (5, u32(1, 0) + u64(0, 1 << 40, 0, 1), 1, 1, "memory region of 1099511627776 bytes at 0x0 "),
    (5, u32(1, 0) + u64(0, 2**64 - 1, 0, 1), 1, 1, "memory region of 18446744073709551615 bytes"),
    (5, u32(1, 0) + u64(0, 0, 0, 0), 1, 1, "memory region of 0 bytes at 0x0 cannot be mapped"),
    (8, u32(0, 0), 0, 1, "SET_VRING_NUM: 0, want 1 to 32768"),
    (8, u32(4, 64), 0, 1, "queue 4 of 4"),
    (8, u32(2**32 - 1, 64), 0, 1, "queue 4294967295 of 4"),
    (9, bytes(39), 0, 1, "SET_VRING_ADDR of 39 bytes, want 40"),
    (10, u32(0, 65536), 0, 1, "SET_VRING_BASE: 65536, want less than 65536"),
    (11, u32(4, 0), 0, 1, "queue 4 of 4"),
    (12, u64(0), 0, 1, "SET_VRING_KICK without an eventfd: the device does not look by itself"),
    (12, u64(4), 1, 1, "queue 4 of 4"),
    (13, u64(0), 2, 1, "SET_VRING_CALL: 2 descriptors"),
    (13, u64(1 << 8), 1, 1, "SET_VRING_CALL: 1 descriptors"),
    (13, u64(1 << 9), 0, 1, "SET_VRING_CALL: 0x200"),
    (16, u64(1 << 15), 0, 1, "protocol features 0x8000 were not offered"),
    (18, u32(4, 1), 0, 1, "queue 4 of 4"),
    (21, b"", 0, 1, "SET_BACKEND_REQ_FD with 0 file descriptors, want 1"),
    (21, b"", 1, 1, "SET_BACKEND_REQ_FD: no socket: Socket operation on non-socket"),
    (24, u32(0, 4), 0, 1, "GET_CONFIG of 8 bytes, want 12 at least"),
    (24, u32(0, 4, 0), 0, 1, "GET_CONFIG: 4 bytes at 0 in a message with 0"),
    (24, u32(253, 4, 0) + bytes(4), 0, 1, "GET_CONFIG: 4 bytes at 253 in a message with 4"),
    (24, u32(2**32 - 1, 4, 0) + bytes(4), 0, 1, "GET_CONFIG: 4 bytes at 4294967295 in a mess"),
    (99, b"", 0, 1, "message 99: not known here, and maybe awaited"),
    (1, bytes(4097), 0, 1, "message 1 of 4097 bytes, want 4096 at most"),
]


@pytest.mark.parametrize(
    ("number", "body", "count", "flags", "said"), MALFORMED, ids=[case[-1] for case in MALFORMED]
)
def test_malformed(sound_card, number, body, count, flags, said):
    card = sound_card()
    with Front(card.path) as first:
        first.ask(front.GET_QUEUE_NUM)
        before = open_files()
        first.send(number, body, [first.rings[0].kick_fd] * count, flags)
        assert first.hung_up()
        card.settle()
        assert open_files() == before - 1  # the connection's end at the device
    assert len(card.said) == 1
    assert card.said[0].startswith("QEMU was turned away: " + said)
    with Front(card.path) as second:
        second.greet().start()
        assert second.control(set_params()) == OK


def test_more_descriptors_than_any_message_has(sound_card):
    card = sound_card()
    with Front(card.path) as qemu:
        qemu.ask(front.GET_QUEUE_NUM)
        before = open_files()
        qemu.send(5, u32(9, 0) + bytes(32 * 9), [qemu.memory_fd] * 9)
        assert qemu.hung_up()
        card.settle()
        assert open_files() == before - 1
    assert card.said == ["QEMU was turned away: more than 8 file descriptors at once"]


def test_an_end_within_a_message(sound_card):
    card = sound_card()
    with Front(card.path) as qemu:
        qemu.socket.sendall(b"\x01\x00\x00")
    card.settle()
    assert card.said == ["QEMU was turned away: the connection ended within a message: 010000"]


@pytest.mark.parametrize("data", [b"", b"\x01\x00\x00", struct.pack("<III", 2, 1, 8) + b"\0"])
def test_silence(sound_card, monkeypatch, data):
    monkeypatch.setattr("virtsnd.vhost_messages.PATIENCE", 0.05)
    card = sound_card()
    with Front(card.path) as qemu:
        qemu.socket.sendall(data)
        assert qemu.hung_up()
    assert card.said == ["QEMU was turned away: it said nothing, or only half a message"]


def test_silence_between_messages_is_golden(sound_card, monkeypatch):
    monkeypatch.setattr("virtsnd.vhost_messages.PATIENCE", 0.05)
    card = sound_card()
    with Front(card.path) as qemu:
        qemu.greet()
        time.sleep(0.2)
        assert qemu.ask(front.GET_QUEUE_NUM) == u64(4)
        qemu.socket.sendall(b"\x01\x00")
        assert qemu.hung_up()
    assert card.said == ["QEMU was turned away: it said nothing, or only half a message"]


def test_rings_outside_the_memory(qemu):
    qemu.rings[1].desc = BASE + front.SIZE
    with pytest.raises((AssertionError, ConnectionError)):
        qemu.start()
    qemu.card.settle()
    address = front.USER + front.SIZE
    assert qemu.card.said == [
        f"QEMU was turned away: ring address {address:#x} is in no memory region"
    ]


def test_queues_before_features(qemu):
    qemu.rings[0].set_up()
    qemu.send(front.SET_VRING_ENABLE, u32(0, 1))
    assert qemu.hung_up()
    assert qemu.card.said == ["QEMU was turned away: queues enabled before SET_FEATURES"]


def test_a_queue_that_was_not_set_up(qemu):
    qemu.send(front.SET_FEATURES, u64(1 << 32 | 1 << 30))
    qemu.send(front.SET_VRING_KICK, u64(3), [qemu.rings[3].kick_fd])
    qemu.send(front.SET_VRING_ENABLE, u32(3, 1))
    assert qemu.hung_up()
    assert qemu.card.said == ["QEMU was turned away: queue 3 has no ring"]


@pytest.mark.parametrize("name", ["NUM", "ADDR", "BASE"])
def test_a_queue_set_up_while_it_is_in_use(qemu, name):
    qemu.start()
    qemu.send(getattr(front, f"SET_VRING_{name}"), u32(0, 8).ljust(40 if name == "ADDR" else 8))
    assert qemu.hung_up()
    assert qemu.card.said == ["QEMU was turned away: queue 0 set up while it is in use"]


@pytest.mark.parametrize("which", ["kick", "call"])
def test_a_descriptor_that_is_no_eventfd(qemu, which):
    read, write = os.pipe()
    os.write(write, b"1234")
    setattr(qemu.rings[0], which + "_fd", read)
    qemu.start()
    if which == "call":
        qemu.put(BASE + BUFFERS, set_params())
        qemu.rings[0].submit((BASE + BUFFERS, 24, 0), (BASE + BUFFERS + 0x1000, 4, 1))
    qemu.card.settle()
    assert len(qemu.card.said) == 1
    assert qemu.card.said[0].startswith(f"QEMU was turned away: SET_VRING_{which.upper()}: ")
    os.close(read)
    os.close(write)


def test_one_at_a_time(qemu):
    with Front(qemu.card.path) as second:
        assert second.hung_up()
    # The answer shows that the card is done with the second, too.
    assert qemu.ask(front.GET_QUEUE_NUM) == struct.pack("<Q", 4)
    assert qemu.card.said == ["a second QEMU was turned away: one at a time"]


def test_the_next_one_may_come_at_once(sound_card):
    # The device learns of both at the same time, and the first one's last words are unread.
    card = sound_card()
    first = Front(card.path).greet().start()
    busy, resume = threading.Event(), threading.Event()
    paused = threading.Thread(target=card.call, args=(lambda: busy.set() or resume.wait(),))
    paused.start()
    assert busy.wait(10)
    for _ in range(3):
        first.send(front.SET_OWNER)
    first.close()
    with Front(card.path) as second:
        resume.set()
        paused.join()
        second.greet().start()
        assert second.control(set_params()) == OK
    assert card.said == []


NUMBERS = (0, 1, 2, 3, 4, 8, 16, 255, 256, 257, 65535, 65536, 2**31, 2**32 - 1)
SIZES = {5: 40, 9: 40, 24: 28, 25: 28}  # of bodies; 8 bytes else


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_the_device_lives_on(sound_card, seed):
    chance = random.Random(seed)
    card = sound_card()
    with Front(card.path) as first:
        first.greet()
        before = open_files()
        first.socket.setblocking(False)
        try:
            for _ in range(300):
                number = chance.choice([*range(1, 27), 34, 39, 40])
                size = SIZES.get(number, chance.choice([0, 8]))
                body = b"".join(u32(chance.choice(NUMBERS)) for _ in range(size // 4))
                fds = [first.rings[0].kick_fd, first.memory_fd] * chance.choice([0, 0, 1])
                first.send(number, body, fds[: chance.choice([1, 2])], chance.choice([1, 1, 9]))
        except (BlockingIOError, ConnectionError):
            pass
    card.settle()
    assert open_files() < before
    assert all(line.startswith(("QEMU was turned away: ", "message ")) for line in card.said)
    with Front(card.path) as second:
        second.greet().start()
        assert second.control(set_params()) == OK
