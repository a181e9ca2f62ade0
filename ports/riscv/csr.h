// SPDX-License-Identifier: MIT
//
// The machine-mode bits of the RISC-V privileged specification that the port uses.
#ifndef VSND_RISCV_CSR_H
#define VSND_RISCV_CSR_H

#include <stdbool.h>
#include <stdint.h>

#define MSTATUS_MIE (8)     // machine interrupts enabled, a mask
#define MIP_MTI     (7)     // machine timer interrupt, bit of mie and code of mcause
#define MIP_MEI     (11)    // machine external interrupt (PLIC)

// A counter of 64 bits. Where a register has 32, its upper half is the CSR of the same name with
// an h, which must not change while the lower half is read.
#if __riscv_xlen == 64
#define csr_read64(name) ({ \
        uint64_t value_; \
        __asm volatile ("csrr %0, " #name : "=r" (value_)); \
        value_; \
    })
#else
#define csr_read64(name) ({ \
        uint32_t low_, high_, again_; \
        do { \
            __asm volatile ("csrr %0, " #name "h" : "=r" (high_)); \
            __asm volatile ("csrr %0, " #name : "=r" (low_)); \
            __asm volatile ("csrr %0, " #name "h" : "=r" (again_)); \
        } while (high_ != again_); \
        (uint64_t)high_ << 32 | low_; \
    })
#endif

static inline uintptr_t irq_disable(void) {
    uintptr_t state;
    __asm volatile ("csrrci %0, mstatus, 8" : "=r" (state) :: "memory");
    return state & MSTATUS_MIE;
}

static inline void irq_restore(uintptr_t state) {
    // Not all of `state`: it may come from Python, and mstatus has more than this bit.
    __asm volatile ("csrs mstatus, %0" :: "r" (state & MSTATUS_MIE) : "memory");
}

static inline void irq_enable(void) {
    __asm volatile ("csrsi mstatus, 8" ::: "memory");
}

// In an interrupt handler: start.S keeps mscratch 0 there.
static inline bool in_interrupt(void) {
    uintptr_t scratch;
    __asm volatile ("csrr %0, mscratch" : "=r" (scratch));
    return scratch == 0;
}

static inline void mie_set(unsigned bit) {
    __asm volatile ("csrs mie, %0" :: "r" (1ul << bit) : "memory");
}

static inline void mie_clear(unsigned bit) {
    __asm volatile ("csrc mie, %0" :: "r" (1ul << bit) : "memory");
}

#endif
