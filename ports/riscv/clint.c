// SPDX-License-Identifier: MIT

#include "py/mpstate.h"
#include "py/runtime.h"
#include "clint.h"
#include "machine_timer.h"

volatile bool clint_event[2];

// There is one comparator, for the timers of Python and for whoever sleeps.
static uint64_t alarm = CLINT_FOREVER;

static void compare(uint64_t deadline) {
    if (deadline == CLINT_FOREVER) {
        clint_timer_off();
    } else {
        *(volatile uint64_t *)CLINT_MTIMECMP = deadline;
        mie_set(MIP_MTI);
    }
}

void clint_set_alarm(uint64_t deadline) {
    alarm = deadline;
    compare(deadline);
}

void clint_interrupt(void) {
    clint_notify();
    if (clint_time() >= alarm) {
        machine_timer_interrupt();
    } else {
        compare(alarm);
    }
}

void clint_wait(uint64_t deadline) {
    // With interrupts off nothing can slip in between "nothing to do" and wfi,
    // and wfi wakes all the same when an enabled source is pending.
    uintptr_t state = irq_disable();
    // Who waits in a scheduled function has an event of its own: it must not take away what the
    // one that was about to wait when the function came has not seen yet.
    volatile bool *event = &clint_event[MP_STATE_VM(sched_state) < 0];
    if (!*event && MP_STATE_VM(sched_state) != MP_SCHED_PENDING) {
        if (deadline < alarm) {
            compare(deadline);
        }
        __asm volatile ("wfi" ::: "memory");
        if (deadline < alarm) {
            compare(alarm);
        }
    }
    irq_restore(state); // a pending interrupt is taken here
    // A function that is due may change what somebody waits for who has just looked, so that
    // the next wait must not sleep either.
    *event = MP_STATE_VM(sched_state) == MP_SCHED_PENDING;
}
