// SPDX-License-Identifier: MIT
//
// The machine-mode bits of the RISC-V privileged specification that the port uses.
#ifndef VSND_RISCV_CSR_H
#define VSND_RISCV_CSR_H

#include <stdint.h>

#define MSTATUS_MIE (8)     // machine interrupts enabled
#define MIP_MTI     (7)     // machine timer interrupt, bit of mie and code of mcause
#define MIP_MEI     (11)    // machine external interrupt (PLIC)

static inline uintptr_t irq_disable(void) {
    uintptr_t state;
    __asm volatile ("csrrci %0, mstatus, 8" : "=r" (state) :: "memory");
    return state & MSTATUS_MIE;
}

static inline void irq_restore(uintptr_t state) {
    __asm volatile ("csrs mstatus, %0" :: "r" (state) : "memory");
}

static inline void irq_enable(void) {
    __asm volatile ("csrsi mstatus, 8" ::: "memory");
}

static inline void mie_set(unsigned bit) {
    __asm volatile ("csrs mie, %0" :: "r" (1ul << bit) : "memory");
}

static inline void mie_clear(unsigned bit) {
    __asm volatile ("csrc mie, %0" :: "r" (1ul << bit) : "memory");
}

#endif
