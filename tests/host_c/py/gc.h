// SPDX-License-Identifier: MIT
//
// What heap.c needs of MicroPython's header.
#include <stddef.h>

#define MICROPY_HEAP_FIRST_AREA (4096)

void gc_init(void *start, void *end);
size_t gc_get_max_new_split(void);
