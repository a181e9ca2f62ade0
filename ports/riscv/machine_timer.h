// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_MACHINE_TIMER_H
#define VSND_RISCV_MACHINE_TIMER_H

// Interrupt context: runs the timers that are due and sets the next alarm.
void machine_timer_interrupt(void);

// Stops every timer, for a reset.
void machine_timer_deinit(void);

#endif
