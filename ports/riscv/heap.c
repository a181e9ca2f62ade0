// SPDX-License-Identifier: MIT

#include <stdbool.h>

#include "py/gc.h"
#include "heap.h"

// gc.c doubles the heap with each area, so a few describe any amount of RAM.
#define AREAS (32)
#define ALIGN(n) (((n) + 15) & ~(size_t)15)

extern uint8_t __heap_start;

static struct {
    uintptr_t start, end;
    bool used;
} areas[AREAS];
static unsigned count;              // areas[0..count-1] lie one after the other
static uintptr_t brk, limit;        // the untouched rest

void heap_init(uintptr_t ram_end) {
    count = 0;
    brk = (uintptr_t)&__heap_start + MICROPY_HEAP_FIRST_AREA;
    limit = ram_end & ~(uintptr_t)15;
    gc_init(&__heap_start, (void *)brk);
}

// The largest area that heap_area_alloc() can give.
size_t gc_get_max_new_split(void) {
    size_t most = count < AREAS ? limit - brk : 0;
    for (unsigned i = 0; i < count; ++i) {
        if (!areas[i].used && areas[i].end - areas[i].start > most) {
            most = areas[i].end - areas[i].start;
        }
    }
    return most;
}

void *heap_area_alloc(size_t size) {
    for (unsigned i = 0; i < count; ++i) {
        if (!areas[i].used && areas[i].end - areas[i].start >= size) {
            areas[i].used = true;
            return (void *)areas[i].start;
        }
    }
    if (count == AREAS || limit - brk < size) {
        return NULL;
    }
    areas[count].start = brk;
    areas[count].end = brk += ALIGN(size);
    areas[count].used = true;
    return (void *)areas[count++].start;
}

void heap_area_free(void *area) {
    for (unsigned i = 0; i < count; ++i) {
        if (areas[i].start == (uintptr_t)area) {
            areas[i].used = false;
        }
    }
    while (count > 0 && !areas[count - 1].used) {
        brk = areas[--count].start;
    }
}
