// SPDX-License-Identifier: MIT
//
// Memory for the Python heap: a small first area, so that a collection is short,
// and further areas on demand until RAM is used up.
#ifndef VSND_RISCV_HEAP_H
#define VSND_RISCV_HEAP_H

#include <stddef.h>
#include <stdint.h>

void heap_init(uintptr_t ram_end);

// py/gc.c asks for areas (MICROPY_GC_SPLIT_HEAP_AUTO) and gives empty ones back.
void *heap_area_alloc(size_t size);
void heap_area_free(void *area);

#endif
