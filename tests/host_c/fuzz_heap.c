// SPDX-License-Identifier: MIT
//
// Areas of the Python heap, taken and given back in any order: none overlaps another or leaves the
// heap, and one of the size that gc_get_max_new_split() promises is there.

#include <stdbool.h>
#include <string.h>

#include "py/gc.h"
#include "fuzz.h"
#include "../../ports/riscv/heap.c"

#define RAM (1 << 18)
#define MOST (64)

uint8_t ram[RAM] __attribute__((aligned(16)));
extern uint8_t __heap_start __attribute__((alias("ram")));

static struct {
    uint8_t *start;
    size_t size;
    uint8_t tag;
} taken[MOST];

void gc_init(void *heap, void *end) {
    CHECK(heap == (void *)ram && end == ram + MICROPY_HEAP_FIRST_AREA);
    memset(ram, 1, MICROPY_HEAP_FIRST_AREA);
}

static void give_back(size_t i) {
    for (size_t k = 0; k < taken[i].size; ++k) {
        CHECK(taken[i].start[k] == taken[i].tag);
    }
    heap_area_free(taken[i].start);
    taken[i].start = NULL;
}

static void one(void) {
    size_t size = MICROPY_HEAP_FIRST_AREA + below(RAM - MICROPY_HEAP_FIRST_AREA + 1);
    memset(taken, 0, sizeof(taken));
    heap_init((uintptr_t)ram + size);
    for (int step = 0; step < 60; ++step) {
        size_t i = below(MOST);
        if (taken[i].start != NULL) {
            give_back(i);
            continue;
        }
        size_t most = gc_get_max_new_split(), n = below(2) ? 1 + below(2000) : most;
        if (below(8) == 0) {
            n = below(2) ? odd(most) : SIZE_MAX - below(40);
        }
        if (n == 0) {
            continue;
        }
        uint8_t *start = heap_area_alloc(n);
        CHECK(n > most || start != NULL); // all RAM is aligned as areas are
        if (start != NULL) {
            CHECK(start >= ram + MICROPY_HEAP_FIRST_AREA && n <= (size_t)(ram + size - start));
            taken[i].start = start;
            taken[i].size = n;
            taken[i].tag = 2 + below(250);
            memset(start, taken[i].tag, n);
        }
    }
    for (size_t i = 0; i < MOST; ++i) {
        if (taken[i].start != NULL) {
            give_back(i);
        }
    }
    for (size_t i = 0; i < MICROPY_HEAP_FIRST_AREA; ++i) {
        CHECK(ram[i] == 1);
    }
    CHECK(gc_get_max_new_split() == ((uintptr_t)ram + size - MICROPY_HEAP_FIRST_AREA - (uintptr_t)ram & ~(size_t)15));
}
