// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_MAIN_H
#define VSND_RISCV_MAIN_H

#include <stdbool.h>
#include <stdint.h>

// Called by start.S with the device tree that QEMU left in RAM.
__attribute__((noreturn)) void main_run(const void *fdt);

// What QEMU was given with -append; "" if nothing.
extern const char *main_bootargs;

// Values of machine.reset_cause().
enum { PWRON_RESET = 1, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET };
extern int main_reset_cause;

// What it is to be after the next machine reset; HARD_RESET unless told.
void main_next_cause(int cause);

extern const char main_help_text[];

// Called after each piece of Python that pyexec.c has run: keeps a SystemExit's value.
void main_after_exec(void *exception, int ret);

uint32_t main_random_seed(void);

// Before a soft or machine reset: stops the program's timers, handlers and devices.
void main_deinit(void);

#endif
