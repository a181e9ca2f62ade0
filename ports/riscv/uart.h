// SPDX-License-Identifier: MIT
//
// UART0, a 16550: the console.
#ifndef VSND_RISCV_UART_H
#define VSND_RISCV_UART_H

#include <stdbool.h>
#include <stddef.h>

void uart_init(void);
void uart_interrupt(void);
bool uart_readable(void);
int uart_read(void); // -1 if there is nothing to read
void uart_write(const char *str, size_t len);

#endif
