// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_MPHALPORT_H
#define VSND_RISCV_MPHALPORT_H

#include "shared/runtime/interrupt_char.h"
#include "clint.h"

static inline mp_uint_t mp_hal_ticks_ms(void) {
    return clint_time() / (TIME_HZ / 1000);
}

static inline mp_uint_t mp_hal_ticks_us(void) {
    return clint_time() / (TIME_HZ / 1000000);
}

static inline mp_uint_t mp_hal_ticks_cpu(void) {
    return clint_instret();
}

// Sleep in wfi for about timeout_ms (-1: without limit); an interrupt ends it early.
void mp_hal_wait_ms(mp_uint_t timeout_ms);

#endif
