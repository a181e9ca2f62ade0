// SPDX-License-Identifier: MIT
//
// Python in interrupt context: hard handlers.
#ifndef VSND_RISCV_ISR_H
#define VSND_RISCV_ISR_H

#include <stdbool.h>
#include <stddef.h>

#include "py/obj.h"

// Interrupt context: calls a function with the heap and the scheduler locked. False if it raised:
// `message`, a format for `number`, and the exception are printed. It must not be called again.
bool isr_call(const char *message, unsigned number, mp_obj_t function, size_t n_args, const mp_obj_t *args);

#endif
