# SPDX-License-Identifier: MIT
"""What all tests share."""

import gc


def pytest_collection_finish(session):
    # Seven thousand tests stay to the end: no collection of garbage looks through them any more.
    gc.freeze()
