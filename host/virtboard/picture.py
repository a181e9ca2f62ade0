# SPDX-License-Identifier: MIT
"""Draws a recording: its waveform, one line a channel, above its spectrogram."""

import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from virtboard import VirtboardError

COLUMNS = 1200  # of the waveform: each shows the lowest and the highest sample of its frames
WINDOW = 1024  # frames of one column of the spectrogram
FLOOR_DB = -100  # below full scale: what is drawn black


def draw(recording, path):
    """Writes a PNG, the same bytes for the same recording. VirtboardError if that is empty."""
    if not recording.frames:
        raise VirtboardError(f"{recording.path} is empty: there is nothing to draw")
    with style.context("default"):
        figure = Figure(figsize=(12, 2 * recording.channels + 4), layout="constrained")
        FigureCanvasAgg(figure)
        ratios = [1] * recording.channels + [2]
        *waves, spectrum = figure.subplots(
            recording.channels + 1, sharex=True, height_ratios=ratios
        )
        samples = recording.normalised()
        for number, axes in enumerate(waves):
            draw_wave(axes, samples[:, number], recording.seconds)
            axes.set_ylabel(f"channel {number}")
        draw_spectrogram(spectrum, samples, recording.rate)
        spectrum.set_xlim(0, recording.seconds)
        waves[0].set_title(f"{recording.frames} frames at {recording.rate} Hz")
        try:
            figure.savefig(path, format="png", dpi=100, metadata={"Software": None})
        except OSError as error:
            raise VirtboardError(f"cannot write {path}: {error.strerror}") from None


def draw_wave(axes, samples, seconds):
    columns = min(COLUMNS, len(samples))
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
    axes.set_xlabel("s")
