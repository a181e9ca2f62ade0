# SPDX-License-Identifier: MIT
"""What playing costs, in guest instructions; `make bench`, docs/benchmark.md.

rows        the rows of the table: what each figure is, its target, what others need
measure     runs programs in virtual time and counts
parts       each row's figure
report      the table, the JSON, the picture
baseline    what is compared with bench/baseline.json
soak        `make soak`: minutes of playback in real time; nothing is counted
guest/      the programs that are counted, in Python
floor/      the same without anything around it, in C
"""
