# SPDX-License-Identifier: MIT
"""Draws a recording: its waveform, one line a channel, above its spectrogram.

An SVG has the waveform only, in few steps: it is small, and text, so it may be kept in git.
"""

from pathlib import Path

import numpy as np
from matplotlib import rc_context, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from virtboard import VirtboardError

COLUMNS = 1200  # of the waveform: each shows the lowest and the highest sample of its frames
SVG_COLUMNS = 160
# Text as text, and names that do not change from run to run.
SVG = {"svg.fonttype": "none", "svg.hashsalt": "virtboard"}
WINDOW = 1024  # frames of one column of the spectrogram
FLOOR_DB = -100  # below full scale: what is drawn black


def draw(recording, path):
    """Writes a PNG, or an SVG if path ends in .svg; the same bytes for the same recording.

    VirtboardError if the recording is empty.
    """
    if not recording.frames:
        raise VirtboardError(f"{recording.path} is empty: there is nothing to draw")
    if not recording.rate:
        raise VirtboardError(f"{recording.path} has a rate of 0 Hz: it cannot be drawn")
    svg = Path(path).suffix == ".svg"
    with style.context("default"), rc_context(SVG):
        ratios = [1] * recording.channels + ([] if svg else [2])
        figure = Figure(figsize=(12, 2 * sum(ratios)), layout="constrained")
        FigureCanvasAgg(figure)
        rows = figure.subplots(len(ratios), sharex=True, height_ratios=ratios, squeeze=False)
        axes = list(rows[:, 0])
        samples = recording.normalised()
        for number in range(recording.channels):
            columns = SVG_COLUMNS if svg else COLUMNS
            draw_wave(axes[number], samples[:, number], recording.seconds, columns)
            axes[number].set_ylabel(f"channel {number}")
        if not svg:
            draw_spectrogram(axes[-1], samples, recording.rate)
        axes[-1].set_xlim(0, recording.seconds)
        axes[-1].set_xlabel("s")
        axes[0].set_title(f"{recording.frames} frames at {recording.rate} Hz")
        options = {"format": "svg", "metadata": {"Date": None, "Creator": None}}
        if not svg:
            options = {"format": "png", "metadata": {"Software": None}, "dpi": 100}
        try:
            figure.savefig(path, **options)
        except OSError as error:
            raise VirtboardError(f"cannot write {path}: {error.strerror}") from None


def draw_wave(axes, samples, seconds, columns):
    columns = min(columns, len(samples))
    starts = np.arange(columns) * len(samples) // columns
    low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    times = starts * seconds / len(samples)
    axes.fill_between(times, low, high, step="post", linewidth=0.7, edgecolor="C0")
    axes.set_ylim(-1.05, 1.05)
    axes.grid(alpha=0.3)


def draw_spectrogram(axes, samples, rate):
    hop = max(WINDOW // 4, len(samples) // COLUMNS)
    samples = np.pad(samples, ((WINDOW // 2, WINDOW // 2), (0, 0)))  # windows centred on frames
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW, axis=0)[::hop]
    spectra = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=2)).max(axis=1)
    decibels = 20 * np.log10(np.maximum(spectra * 4 / WINDOW, 10 ** (FLOOR_DB / 20)))
    extent = (-hop / 2 / rate, (len(windows) - 0.5) * hop / rate, 0, rate / 2)
    limits = {"vmin": FLOOR_DB, "vmax": 0}
    axes.imshow(decibels.T, extent=extent, aspect="auto", origin="lower", cmap="magma", **limits)
    axes.set_ylabel("Hz")
