// SPDX-License-Identifier: MIT

#include <stdint.h>

#include "py/mpprint.h"
#include "board.h"
#include "clint.h"
#include "modvirt.h"
#include "plic.h"
#include "uart.h"

#define REG(offset) (*(volatile uint32_t *)(uintptr_t)(PLIC_BASE + (offset)))
#define PRIORITY(source) REG(4 * (source))
#define ENABLE(source) REG(0x2000 + (source) / 32 * 4)
#define THRESHOLD REG(0x200000)
#define CLAIM REG(0x200004)

// More than any device interrupts before the program goes on: the board would hang.
#define STORM (1000)

void plic_init(void) {
    for (unsigned source = 0; source < PLIC_SOURCES; source += 32) {
        ENABLE(source) = 0;
    }
    THRESHOLD = 0;
    mie_set(MIP_MEI);
}

void plic_enable(unsigned source) {
    PRIORITY(source) = 1;
    ENABLE(source) |= 1u << source % 32;
}

void plic_disable(unsigned source) {
    CLAIM = source; // once it is disabled, a completion is ignored, and it would stay claimed
    ENABLE(source) &= ~(1u << source % 32);
}

void plic_complete(unsigned source) {
    CLAIM = source;
}

void plic_interrupt(void) {
    clint_notify();
    unsigned source, count = 0;
    while ((source = CLAIM) != 0) {
        if (source == UART0_IRQ) {
            uart_interrupt();
            plic_complete(source);
        } else if (++count > STORM) {
            mp_printf(&mp_plat_print, "interrupt %u turned off: it does not become quiet\n", source);
            plic_disable(source);
        } else {
            virt_irq(source);
        }
    }
}
