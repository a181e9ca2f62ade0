# SPDX-License-Identifier: MIT
"""Jacks, channel maps and control elements in MicroPython itself: what its integers, floats and
structures make of the messages. The card is one in Python; tests/unit has all the cases."""

import struct

GUEST = """
    import struct
    from vsnd import chmaps, controls, jacks, tlv

    class Card:
        device = type("Device", (), {"features": 1})
        answers = []
        sent = []

        def request(self, message, response_bytes=0, at_least=None):
            self.sent.append(bytes(message))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    card = Card()

    def show(call, *answers):
        card.answers = list(answers)
        card.sent.clear()
        try:
            result = repr(call())
        except Exception as error:
            result = "%s: %s" % (type(error).__name__, error)
        for sent in card.sent:
            print("sent", len(sent), sent[:24].hex())
        print(result)

    def record(type, *numbers, **options):
        name = options.get("name", "X").encode()
        head = struct.pack("<6I", 0, 2, type, 127, options.get("count", 1), 0)
        code = "<" + ("Q" if type == 2 else "I") * len(numbers)
        return head + name + bytes(44 - len(name)) + struct.pack(code, *numbers) + bytes(
            24 - struct.calcsize(code))

    def control(*numbers, **options):
        card.answers = [record(*numbers, **options)]
        return controls.query(card, 1)[0]
"""


def guest(board, program):
    result = board.run(GUEST + program, timeout=60)
    assert result.status == 0
    return result.output.strip().splitlines()


def test_jacks_and_channel_maps(board):
    output = guest(board, """
    row = bytes.fromhex("01000000010000001f4021021c0000000100000000000000")
    show(lambda: jacks.query(card, 1), row)
    show(lambda: jacks.query(card, 2), OSError(95, "NOT_SUPP"))
    card.answers = [row]
    jack = jacks.query(card, 1)[0]
    show(lambda: jack.capabilities)
    show(lambda: jack.remap(4, 1), b"")
    show(lambda: (hex(jack.hda_reg_defconf), jack.association, jack.sequence))
    show(lambda: jack.remap(16, 1))
    show(lambda: jack.refresh(), row)
    show(lambda: jack)
    row = bytes.fromhex("000000000002032500000000000000000000000000000000")
    show(lambda: chmaps.query(card, 1), row)
    """)
    assert output == [
        "sent 16 01000000000000000100000018000000",
        '(jack 0: HP out, green 1/8", external front, connected, association 1, sequence 15, '
        "can be remapped,)",
        "sent 16 01000000000000000200000018000000",
        "()",
        "('presence detect', 'headphone drive', 'output')",
        "sent 16 02000000000000000400000001000000",
        "None",
        "('0x2214041', 4, 1)",
        "ValueError: jack 0: association is 16, must be 0..15",
        "sent 16 01000000000000000100000018000000",
        "None",
        'jack 0: HP out, green 1/8", external front, connected, association 1, sequence 15, '
        "can be remapped",
        "sent 16 00020000000000000100000018000000",
        "(channel map 0: output, FL position 37,)",
    ]


def test_values(board):
    output = guest(board, """
    small = control(1, 0x100000000 - 100, 0, 10)
    show(lambda: small)
    show(small.read, struct.pack("<i", -40) + bytes(508))
    show(lambda: small.write(-50), b"")
    show(lambda: small.write(-55))
    wide = control(2, 0, (1 << 64) - 1, 1, count=2)
    show(lambda: (wide.minimum, wide.maximum))
    show(wide.read, b"\\xff" * 8 + b"\\xfe" * 8 + bytes(496))
    show(lambda: wide.write(((1 << 64) - 1, 1 << 62)), b"")
    signed = control(2, 1 << 63, (1 << 63) - 1, 1)
    show(signed.read, bytes(7) + b"\\x80" + bytes(504))
    show(lambda: signed.write(-(1 << 63)), b"")
    show(lambda: signed.write(1 << 63))
    switch = control(0, count=2)
    show(lambda: switch.write((True, False)), b"")
    choice = control(3, 2)
    names = b"Mic" + bytes(61) + b"Line" + bytes(60)
    show(lambda: choice.write("Line"), names, b"")
    show(lambda: choice.items)
    data = control(4, count=512)
    show(lambda: data.write(bytes(range(256)) * 2), b"")
    show(lambda: sum(data.read()), bytes(range(256)) * 2)
    digital = control(5)
    show(lambda: digital.write(controls.IEC958(b"a" * 24, b"b" * 147, b"c" * 4)), b"")
    show(lambda: digital.read().dig_subframe, bytes(172) + b"cccc" + bytes(336))
    digital.refresh(controls.INFO)
    show(lambda: digital.maximum, record(1, 0, 9, 1))
    show(lambda: digital.loudness)
    show(lambda: controls.find((digital,), "Y"))
    """)
    empty = "0" * 16
    assert output == [
        "control 0: 'X', INTEGER -100..0 step 10, output VOLUME, "
        "READ WRITE VOLATILE INACTIVE TLV_READ TLV_WRITE TLV_COMMAND",
        "sent 8 0203000000000000",
        "(-40,)",
        "sent 520 0303000000000000ceffffff" + "0" * 24,
        "None",
        "ValueError: control 0 'X': value is -55, must be -100..0 in steps of 10",
        f"(0, {2**64 - 1})",
        "sent 8 0203000000000000",
        f"({2**64 - 1}, {0xFEFEFEFEFEFEFEFE})",
        "sent 520 0303000000000000ffffffffffffffff0000000000000040",
        "None",
        "sent 8 0203000000000000",
        f"({-2**63},)",
        "sent 520 03030000000000000000000000000080" + empty,
        "None",
        f"ValueError: control 0 'X': value is {2**63}, must be {-2**63}..{2**63 - 1}",
        "sent 520 030300000000000001000000" + "0" * 24,
        "None",
        "sent 8 0103000000000000",
        "sent 520 030300000000000001000000" + "0" * 24,
        "None",
        "('Mic', 'Line')",
        "sent 520 0303000000000000000102030405060708090a0b0c0d0e0f",
        "None",
        "sent 8 0203000000000000",
        str(2 * sum(range(256))),
        "sent 520 0303000000000000" + "61" * 16,
        "None",
        "sent 8 0203000000000000",
        "b'cccc'",
        "sent 16 0003000000000000010000005c000000",
        "9",
        "AttributeError: 'Info' object has no attribute 'loudness'",
        "ValueError: no control 'Y' 0, but 'X'",
    ]


def test_metadata_and_decibels(board):
    output = guest(board, """
    scale = bytes.fromhex("010000000800000090e8ffff32000100")
    volume = control(1, 0, 120, 1, count=2)
    show(volume.tlv, scale)
    show(volume.db, scale, struct.pack("<II", 0, 119) + bytes(504))
    show(lambda: volume.set_db((-10, float("-inf"))), b"")
    show(lambda: volume.set_db(1))
    show(lambda: volume.set_db(float("nan")))
    show(lambda: volume.tlv_command(tlv.encode(7, b"abc")), b"")
    show(lambda: volume.tlv_write(bytes(7)))
    show(lambda: tlv.decode(b"\\x00" * 4 + b"\\x10\\x00\\x00\\x00" + scale))
    show(lambda: tlv.decode(scale[:15]))
    linear = tlv.decode(bytes.fromhex("0200000008000000 30f8ffff00000000".replace(" ", "")))
    show(lambda: ["%.6f" % tlv.to_db(linear, n, 0, 9) for n in (0, 4, 9)])
    show(lambda: [tlv.to_raw(linear, db, 0, 9) for db in (-20, -6.0206, 0)])
    wide = control(2, 1 << 63, (1 << 63) - 1, 1)
    show(lambda: wide.set_db(0), bytes.fromhex("0400000008000000 80daffff00000000".replace(
        " ", "")), b"")
    show(lambda: wide.set_db(-96), b"")
    ranges = tlv.decode(struct.pack("<II", 3, 48) + struct.pack("<ii", 0, 0) + scale
        + struct.pack("<ii", 1, 9) + scale)
    show(lambda: [tlv.to_db(ranges, n, 0, 9) for n in (0, 1, 2)])
    show(lambda: [tlv.to_raw(ranges, db, 0, 9) for db in (-60, -59.5, -56)])
    """)
    assert output == [
        "sent 8 0403000000000000",
        "DbScale(minimum=-6000, step=50, mute=True)",
        "sent 8 0403000000000000",
        "sent 8 0203000000000000",
        "(-inf, -0.5)",
        "sent 520 030300000000000064000000" + "0" * 24,
        "None",
        "ValueError: control 0 'X': 1 dB is off its scale of -59.50..0.00 dB, or -inf",
        "ValueError: control 0 'X': nan dB is off its scale of -59.50..0.00 dB, or -inf",
        "sent 20 0603000000000000070000000400000061626300",
        "None",
        "ValueError: control 0 'X': 7 bytes are no TLV: tlv.encode() makes one",
        "Container(items=(DbScale(minimum=-6000, step=50, mute=True),))",
        "ValueError: TLV of type 0x1 has 8 bytes, 7 came",
        str(["%.6f" % db for db in (-20, -6.0205999, 0)]),
        "[0, 4, 9]",
        "sent 8 0403000000000000",
        "sent 520 0303000000000000" + struct.pack("<q", 2**63 - 1).hex() + "0" * 16,
        "None",
        "sent 520 0303000000000000" + struct.pack("<q", -(2**63)).hex() + "0" * 16,
        "None",
        "[-inf, -inf, -59.5]",
        "[2, 2, 9]",
    ]


def test_records_of_96_bytes(board):
    output = guest(board, """
    padded = record(1, 0, 0, 100, 5)[:92] + bytes(4)
    show(lambda: controls.query(card, 1), OSError(22, "BAD_MSG"), padded)
    show(lambda: controls.query(card, 1), padded[:92], padded)
    """)
    line = (
        "(control 0: 'X', INTEGER 0..100 step 5, output VOLUME, "
        "READ WRITE VOLATILE INACTIVE TLV_READ TLV_WRITE TLV_COMMAND,)"
    )
    asked = "sent 16 00030000000000000100000060000000"
    first = "sent 16 0003000000000000010000005c000000"
    assert output == [first, asked, line, first, asked, line]


def test_a_card_that_only_claims_them(board):
    """QEMU's own: the numbers in its configuration can be set, nothing stands behind them."""
    result = board.run(
        """
        import vsnd
        card = vsnd.open()
        print(card.device.transport.config(0, 3))
        print(card.jacks, card.chmaps, card.controls, len(card.streams))
        """,
        extra=[
            "-global", "virtio-sound-device.jacks=2", "-global", "virtio-sound-device.chmaps=3",
        ],
    )
    assert result.status == 0
    assert result.output.splitlines() == ["(2, 1, 3)", "() () () 1"]
