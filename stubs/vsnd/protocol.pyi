# SPDX-License-Identifier: MIT
"""The messages of the sound device: codes, layouts and names (VirtIO 1.3, 5.14.6)."""

from _typeshed import ReadableBuffer
from collections.abc import Sequence
from typing import Final

DEVICE_ID: Final = 25
CONTROLQ: Final = 0
EVENTQ: Final = 1
TXQ: Final = 2
RXQ: Final = 3
EVENT_BYTES: Final = 8
REQUESTS: dict[int, str]
OK: Final = 32768
OUTPUT: Final = 0
INPUT: Final = 1
FORMATS: tuple[tuple[str, int, bytes | None], ...]
S16: Final = 5
RATES: tuple[int, ...]
PCM_FEATURES: tuple[str, ...]
PCM_MSG_POLLING: Final = 4
PCM_EVT_PERIODS: Final = 8
PCM_EVT_XRUNS: Final = 16
PCM_SELECTABLE: Final = 28
PCM_DEFAULT: Final = 20
CTLS: Final = 1
def format_name(format: int) -> str:
    """The specification's name of a format number."""
def named(bits: int, names: Sequence[str]) -> list[str]:
    """The entries of `names` whose bit is set, and the numbers of bits beyond them."""
def request_name(message: ReadableBuffer) -> str:
    """The specification's name of the request that a message makes."""
def refusal(status: int) -> tuple[int, str]:
    """The errno and the meaning of a status that is not OK."""
PCM_INFO_BYTES: Final = 32
def pcm_info(start_id: int, count: int) -> bytes:
    """Ask for the records of `count` streams from `start_id` on."""
def pcm_info_record(
    data: ReadableBuffer, at: int
) -> tuple[int, int, int, int, int, int, int]:
    """The fields of the pcm_info record at byte `at`: hda_fn_nid, features, formats, rates,
    direction, channels_min, channels_max."""
def pcm_set_params(
    stream_id: int,
    buffer_bytes: int,
    period_bytes: int,
    features: int,
    channels: int,
    format: int,
    rate: int,
) -> bytes:
    """Format is a number of FORMATS, rate one of RATES."""
def pcm_prepare(stream_id: int) -> bytes: ...
def pcm_release(stream_id: int) -> bytes: ...
def pcm_start(stream_id: int) -> bytes: ...
def pcm_stop(stream_id: int) -> bytes: ...
def pcm_xfer(stream_id: int) -> bytes:
    """What precedes the samples of every period."""
