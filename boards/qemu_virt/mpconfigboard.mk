# SPDX-License-Identifier: MIT
# rv64gc with hardware doubles, and the address and bit instructions that QEMU's default processor
# has (RVA22 wants them too); medany because RAM starts above 2 GiB.
ARCH_FLAGS = -march=rv64gc_zba_zbb_zbs -mabi=lp64d -mcmodel=medany
SMALL_INT_BITS = 63
