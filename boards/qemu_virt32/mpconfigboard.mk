# SPDX-License-Identifier: MIT
# rv32gc with hardware doubles, so that floats are those of the 64-bit board. Not its bit
# instructions: GCC 12 ends with an internal error where it has Zbs on 32 bits.
ARCH_FLAGS = -march=rv32gc -mabi=ilp32d -mcmodel=medany
SMALL_INT_BITS = 31
