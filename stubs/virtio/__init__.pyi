# SPDX-License-Identifier: MIT
"""VirtIO 1.x over virtio-mmio, for any device type."""

from .device import Device as Device, find as find
from .mmio import MMIO as MMIO
from .queue import Queue as Queue
from .outflow import Outflow as Outflow
