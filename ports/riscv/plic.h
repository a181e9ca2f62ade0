// SPDX-License-Identifier: MIT
//
// Platform-level interrupt controller, context 0 (hart 0, machine mode).
#ifndef VSND_RISCV_PLIC_H
#define VSND_RISCV_PLIC_H

#include <stdbool.h>

void plic_init(void);
void plic_enable(unsigned source);
void plic_disable(unsigned source);
void plic_complete(unsigned source);

// Claims what is pending. The UART is served at once; every other source goes to
// virt_irq() and stays claimed, so it cannot fire again until it is completed.
void plic_interrupt(void);

#endif
