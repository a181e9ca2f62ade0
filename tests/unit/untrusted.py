# SPDX-License-Identifier: MIT
"""What the tests of malformed input have in common.

Hypothesis makes the same examples in every run, EXAMPLES of them for a test; with EXAMPLES=N in
the environment it is N of others.
"""

import os
import resource
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = 200

fuzz = settings(
    max_examples=int(os.environ.get("EXAMPLES") or EXAMPLES),
    derandomize="EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def damaged(draw, whole):
    """Bytes like `whole`, with some of them changed, taken out, doubled or cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["byte", "byte", "word", "out", "double", "cut", "more"])):
            case "byte":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "word":
                values = [0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
                data[at : at + 4] = draw(st.sampled_from(values)).to_bytes(4, "little")
            case "out":
                del data[at : at + draw(st.integers(1, 16))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 64))]
            case "cut":
                del data[at:]
            case "more":
                data[at:at] = draw(st.binary(max_size=32))
    return bytes(data)


@contextmanager
def little_memory(more=64 << 20):
    """Inside, this process may have so many bytes more than now: a MemoryError beyond."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
