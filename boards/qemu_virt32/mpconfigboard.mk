# SPDX-License-Identifier: MIT
# rv32gc with hardware doubles, so that floats are those of the 64-bit board.
ARCH_FLAGS = -march=rv32gc -mabi=ilp32d -mcmodel=medany
SMALL_INT_BITS = 31
