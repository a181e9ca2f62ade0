// SPDX-License-Identifier: MIT
//
// Time: the 10 MHz counter that rdtime reads, and the one comparator that wakes
// a sleeping hart.
#ifndef VSND_RISCV_CLINT_H
#define VSND_RISCV_CLINT_H

#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "csr.h"

#define CLINT_FOREVER (UINT64_MAX)

static inline uint64_t clint_time(void) {
    return csr_read64(time);
}

// Counts retired instructions; exact only when QEMU runs with -icount.
static inline uint64_t clint_instret(void) {
    return csr_read64(minstret);
}

static inline void clint_timer_off(void) {
    mie_clear(MIP_MTI);
}

// Something may have changed for whoever waits: an interrupt came, or a function was scheduled.
extern volatile bool clint_event[2];

static inline void clint_notify(void) {
    clint_event[0] = clint_event[1] = true;
}

// machine_timer_interrupt() is to run at `deadline` (ticks of clint_time, or CLINT_FOREVER).
void clint_set_alarm(uint64_t deadline);

// Interrupt context: the comparator has matched.
void clint_interrupt(void);

// Sleep in wfi until an interrupt was handled or `deadline` (ticks of clint_time)
// has come. May return early; the caller looks at what it waits for and calls again.
// With interrupts disabled it comes back early when one is pending, and handles none.
void clint_wait(uint64_t deadline);

#endif
