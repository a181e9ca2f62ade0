// SPDX-License-Identifier: MIT

#include <stdint.h>

#include "py/ringbuf.h"
#include "py/runtime.h"
#include "shared/runtime/interrupt_char.h"
#include "board.h"
#include "csr.h"
#include "plic.h"
#include "uart.h"

#define REG(n) (*(volatile uint8_t *)(UART0_BASE + (n)))
#define RBR REG(0)  // receive (read), transmit (write); divisor low with DLAB
#define IER REG(1)  // interrupt enable; divisor high with DLAB
#define FCR REG(2)  // FIFO control
#define LCR REG(3)  // line control
#define LSR REG(5)  // line status

#define IER_RX      (0x01)
#define FCR_FIFO    (0x07)  // FIFOs on and cleared, interrupt at the first byte
#define LCR_8N1     (0x03)
#define LCR_DLAB    (0x80)
#define LSR_RX      (0x01)
#define LSR_TX      (0x20)

static uint8_t rx_array[1024];
static ringbuf_t rx = { rx_array, sizeof(rx_array), 0, 0 };

void uart_init(void) {
    LCR = LCR_DLAB;
    RBR = UART0_CLOCK / 16 / 115200;
    IER = 0;
    LCR = LCR_8N1;
    FCR = FCR_FIFO;
    IER = IER_RX;
    plic_enable(UART0_IRQ);
}

int mp_interrupt_char = -1;

static void receive(int c) {
    if (c == mp_interrupt_char) {
        mp_sched_keyboard_interrupt();
    } else {
        ringbuf_put(&rx, c);
    }
}

// What uart_interrupt() has left in the device may come.
static void go_on(void) {
    if (IER == 0 && ringbuf_avail(&rx) < sizeof(rx_array) / 2) {
        IER = IER_RX;
    }
}

// Takes the place of interrupt_char.c. A Ctrl-C that came while the line before it was still being
// read is for what that line now starts: nobody else would see it before that has ended.
void mp_hal_set_interrupt_char(int c) {
    uintptr_t state = irq_disable();
    mp_interrupt_char = c;
    if (c >= 0 && ringbuf_avail(&rx) != 0) {
        for (size_t n = ringbuf_avail(&rx); n > 0; --n) {
            receive(ringbuf_get(&rx));
        }
        go_on();
    }
    irq_restore(state);
}

void uart_interrupt(void) {
    while (LSR & LSR_RX) {
        if (ringbuf_free(&rx) == 0) {
            // Leave the rest in the device: the sender waits, nothing is lost.
            // uart_read() turns the interrupt on again.
            IER = 0;
            return;
        }
        receive(RBR);
    }
}

bool uart_readable(void) {
    return ringbuf_avail(&rx) != 0;
}

int uart_read(void) {
    uintptr_t state = irq_disable();
    int c = ringbuf_get(&rx);
    go_on();
    irq_restore(state);
    return c;
}

void uart_write(const char *str, size_t len) {
    while (len--) {
        while (!(LSR & LSR_TX)) {
            // QEMU's transmitter is free again at once, or when the host has read.
        }
        RBR = *str++;
    }
}
