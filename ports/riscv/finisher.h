// SPDX-License-Identifier: MIT
//
// The "sifive_test" device of QEMU's virt machine: ends or resets the machine.
#ifndef VSND_RISCV_FINISHER_H
#define VSND_RISCV_FINISHER_H

#include "board.h"

#define EXIT_CRASH (134) // what a shell reports for an aborted program

#ifndef __ASSEMBLER__

#include <stdint.h>

static inline void finisher_write(uint32_t value) {
    *(volatile uint32_t *)FINISHER_BASE = value;
}

// Status 0..255. A failure code of 0 would look like success, so "fail" always carries one.
__attribute__((noreturn)) static inline void finisher_exit(unsigned status) {
    finisher_write(status == 0 ? 0x5555 : 0x3333 | (status & 0xff) << 16);
    for (;;) {
    }
}

__attribute__((noreturn)) static inline void finisher_reset(void) {
    finisher_write(0x7777);
    for (;;) {
    }
}

#endif

#endif
