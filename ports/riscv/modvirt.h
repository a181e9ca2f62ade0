// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_MODVIRT_H
#define VSND_RISCV_MODVIRT_H

void modvirt_init(void);

// Before a soft or machine reset: runs the function that virt.at_reset() was
// given, then no interrupt source but the UART is left.
void modvirt_deinit(void);

// Interrupt context: `source` was claimed at the PLIC and is now Python's.
void virt_irq(unsigned source);

#endif
