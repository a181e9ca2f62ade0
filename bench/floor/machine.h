// SPDX-License-Identifier: MIT
//
// QEMU's machine `virt`, as far as the floor needs it: registers, sleep, text, exit.
#ifndef VSND_FLOOR_MACHINE_H
#define VSND_FLOOR_MACHINE_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define FINISHER      REG(0x00100000)
#define UART_TRANSMIT (*(volatile uint8_t *)0x10000000)

// QEMU puts the first device into the last of its eight virtio-mmio slots.
#define VIRTIO_BASE   (0x10008000)
#define VIRTIO_SOURCE (8)

#define PLIC_PRIORITY REG(0x0c000000 + 4 * VIRTIO_SOURCE)
#define PLIC_ENABLE   REG(0x0c002000)
#define PLIC_CLAIM    REG(0x0c200004) // reading claims, writing completes

// Instructions executed so far; under QEMU's -icount it is just that.
static inline unsigned long instructions(void) {
    unsigned long count;
    __asm__ volatile ("csrr %0, minstret" : "=r"(count));
    return count;
}

static inline void fence(void) {
    __asm__ volatile ("fence" ::: "memory");
}

// Interrupts stay off (mstatus.MIE is 0 after reset), so there is no trap and no handler:
// one that is enabled in mie and pending ends wfi all the same.
static inline void interrupts_init(void) {
    PLIC_PRIORITY = 1;
    PLIC_ENABLE = 1u << VIRTIO_SOURCE;
    __asm__ volatile ("csrs mie, %0" : : "r"(1 << 11)); // MEIE: external interrupts
}

static inline void sleep_until_interrupt(void) {
    __asm__ volatile ("wfi" ::: "memory");
}

static inline void print(const char *text) {
    while (*text) {
        UART_TRANSMIT = (uint8_t)*text++;
    }
}

static inline void print_number(unsigned long n) {
    if (n >= 10) {
        print_number(n / 10);
    }
    UART_TRANSMIT = (uint8_t)('0' + n % 10);
}

// QEMU ends with this status, 0 to 255.
__attribute__((noreturn)) static inline void finish(unsigned status) {
    FINISHER = status == 0 ? 0x5555 : 0x3333 | status << 16;
    for (;;) {
    }
}

#endif
