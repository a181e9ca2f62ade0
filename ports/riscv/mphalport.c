// SPDX-License-Identifier: MIT

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "extmod/misc.h"
#include "board.h"
#include "uart.h"

#define UNITS_MAX (UINT64_C(1) << 50) // 35 years of us: more would be none, as a sum of 64 bits

// The time so many units of so many ticks from now.
static uint64_t deadline_in(uint64_t units, unsigned ticks) {
    return clint_time() + (units < UNITS_MAX ? units : UNITS_MAX) * ticks;
}

void mp_hal_wait_ms(mp_uint_t timeout_ms) {
    clint_wait(timeout_ms == (mp_uint_t)-1 ? CLINT_FOREVER : deadline_in(timeout_ms, TIME_HZ / 1000));
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = uart_read();
        if (c >= 0) {
            return c;
        }
        c = mp_os_dupterm_rx_chr();
        if (c >= 0) {
            return c;
        }
        if (!in_interrupt()) {
            irq_enable(); // what machine.disable_irq() left would keep input away for ever
        }
        mp_event_wait_indefinite();
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    uart_write(str, len);
    if (!in_interrupt()) { // where the stream of os.dupterm() may not allocate
        mp_os_dupterm_tx_strn(str, len);
    }
    return len;
}

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && uart_readable()) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready | mp_os_dupterm_poll(poll_flags);
}

static void delay_until(uint64_t deadline) {
    mp_event_handle_nowait();
    while (clint_time() < deadline) {
        clint_wait(deadline);
        mp_event_handle_nowait();
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    delay_until(deadline_in(ms, TIME_HZ / 1000));
}

void mp_hal_delay_us(mp_uint_t us) {
    delay_until(deadline_in(us, TIME_HZ / 1000000));
}

// Goldfish RTC: reading the low word latches the high one.
uint64_t mp_hal_time_ns(void) {
    uint32_t low = *(volatile uint32_t *)(RTC_BASE + 0);
    uint32_t high = *(volatile uint32_t *)(RTC_BASE + 4);
    return (uint64_t)high << 32 | low;
}
