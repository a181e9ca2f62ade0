// SPDX-License-Identifier: MIT
#define MICROPY_HW_BOARD_NAME   "QEMU virt"
#define MICROPY_HW_MCU_NAME     "RISC-V rv32gc"
