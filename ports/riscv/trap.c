// SPDX-License-Identifier: MIT
//
// What start.S calls once the registers are safe.

#include <stdbool.h>
#include <stdint.h>

#include "py/mpprint.h"
#include "clint.h"
#include "finisher.h"
#include "guard.h"
#include "plic.h"
#include "trap.h"

// A register in hexadecimal: mp_printf() has no padded 64-bit format.
#if __riscv_xlen == 64
#define WORD "%08x%08x"
#define PARTS(x) (unsigned)((x) >> 32), (unsigned)(x)
#else
#define WORD "%08x"
#define PARTS(x) (unsigned)(x)
#endif

// Exception codes of the RISC-V privileged specification, table "mcause".
static const char *const causes[] = {
    "instruction address misaligned", "instruction access fault", "illegal instruction",
    "breakpoint", "load address misaligned", "load access fault",
    "store address misaligned", "store access fault", "ecall from U-mode",
    "ecall from S-mode", "reserved", "ecall from M-mode",
};

static const char *const names[32] = {
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",
    "a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5",
    "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

void trap_interrupt(uintptr_t mcause) {
    switch (mcause & 0xff) {
        case MIP_MTI:
            clint_interrupt();
            break;
        case MIP_MEI:
            plic_interrupt();
            break;
        default:
            crash("unexpected interrupt");
    }
}

static void tell_cause(void) {
    uintptr_t mcause, mepc, mtval;
    __asm volatile ("csrr %0, mcause" : "=r" (mcause));
    __asm volatile ("csrr %0, mepc" : "=r" (mepc));
    __asm volatile ("csrr %0, mtval" : "=r" (mtval));
    const char *what = mcause < sizeof(causes) / sizeof(causes[0]) ? causes[mcause] : "unknown";
    mp_printf(&mp_plat_print, "\nTRAP: %s (mcause %u) at 0x" WORD ", address 0x" WORD "\n",
        what, (unsigned)mcause, PARTS(mepc), PARTS(mtval));
    const char *hit = guard_hit(mcause, mtval);
    if (hit != NULL) {
        mp_printf(&mp_plat_print, "%s\n", hit);
    }
}

void trap_exception(const uintptr_t *x) {
    tell_cause();
    for (int i = 1; i < 32; ++i) {
        mp_printf(&mp_plat_print, "%4s " WORD "%s", names[i], PARTS(x[i]),
            i % 4 == 0 || i == 31 ? "\n" : " ");
    }
    crash("unhandled exception");
}

void trap_double(void) {
    // The printer itself may be what failed: then there is a third trap, which says nothing.
    static bool told;
    __asm volatile ("csrw mscratch, zero");
    if (!told) {
        told = true;
        tell_cause();
        crash("exception in an interrupt handler");
    }
    finisher_exit(EXIT_CRASH);
}

void crash(const char *why) {
    mp_printf(&mp_plat_print, "CRASH: %s; QEMU ends with status %d\n", why, EXIT_CRASH);
    finisher_exit(EXIT_CRASH);
}
