// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_TRAP_H
#define VSND_RISCV_TRAP_H

#include <stdint.h>

// Called by start.S.
void trap_interrupt(uintptr_t mcause);
__attribute__((noreturn)) void trap_exception(const uintptr_t *registers);
__attribute__((noreturn)) void trap_double(void);

// Says why and ends QEMU with EXIT_CRASH: nothing that is broken hangs silently.
__attribute__((noreturn)) void crash(const char *why);

#endif
