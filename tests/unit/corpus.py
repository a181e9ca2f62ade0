# SPDX-License-Identifier: MIT
"""Sequences that once went wrong, as test_robustness_sequences.py found them."""

CORPUS = {}
