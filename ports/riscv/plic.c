// SPDX-License-Identifier: MIT

#include <stdint.h>

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
    ENABLE(source) &= ~(1u << source % 32);
}

void plic_complete(unsigned source) {
    CLAIM = source;
}

void plic_interrupt(void) {
    clint_notify();
    unsigned source;
    while ((source = CLAIM) != 0) {
        if (source == UART0_IRQ) {
            uart_interrupt();
            plic_complete(source);
        } else {
            virt_irq(source);
        }
    }
}
