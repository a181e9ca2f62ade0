// SPDX-License-Identifier: MIT
//
// Memory that nobody may touch, or not write, or not execute: a mistake ends in a trap at once,
// not in data that is wrong later.
#ifndef VSND_RISCV_GUARD_H
#define VSND_RISCV_GUARD_H

#include <stdint.h>

void guard_init(void);

// What an access fault hit, as a sentence; NULL if none of the guards. mcause, mtval: of the trap.
const char *guard_hit(uintptr_t mcause, uintptr_t mtval);

// Called by what GCC makes of -fstack-protector.
__attribute__((noreturn)) void __stack_chk_fail(void);

#endif
