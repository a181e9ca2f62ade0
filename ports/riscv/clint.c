// SPDX-License-Identifier: MIT

#include "py/mpstate.h"
#include "py/runtime.h"
#include "clint.h"

volatile bool clint_event[2];

void clint_wait(uint64_t deadline) {
    // With interrupts off nothing can slip in between "nothing to do" and wfi,
    // and wfi wakes all the same when an enabled source is pending.
    irq_disable();
    // Who waits in a scheduled function has an event of its own: it must not take away what the
    // one that was about to wait when the function came has not seen yet.
    volatile bool *event = &clint_event[MP_STATE_VM(sched_state) < 0];
    if (!*event && MP_STATE_VM(sched_state) != MP_SCHED_PENDING) {
        if (deadline != CLINT_FOREVER) {
            *(volatile uint64_t *)CLINT_MTIMECMP = deadline;
            mie_set(MIP_MTI);
        }
        __asm volatile ("wfi" ::: "memory");
        mie_clear(MIP_MTI);
    }
    irq_enable(); // a pending interrupt is taken here
    *event = false;
}
