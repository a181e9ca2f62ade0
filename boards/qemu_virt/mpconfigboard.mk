# SPDX-License-Identifier: MIT
# rv64gc with hardware doubles; medany because RAM starts above 2 GiB.
ARCH_FLAGS = -march=rv64gc -mabi=lp64d -mcmodel=medany
SMALL_INT_BITS = 63
