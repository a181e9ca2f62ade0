// SPDX-License-Identifier: MIT
//
// Memory for small objects, which is nine of ten requests: one block of the heap. MicroPython's own
// code searches for a run of any length, marks it block by block, and clears it by a call. One
// block is a byte of the allocation table with a free pair of bits. Everything else is left to
// MicroPython's code (see Makefile): larger objects, those with a finaliser, collections, areas
// that are full. It keeps the same books, and finds the same blocks.

#include <string.h>

#include "py/gc.h"
#include "py/mpstate.h"

// The allocation table, as in gc.c: two bits a block, the lowest block in the lowest bits.
#define BLOCKS_PER_BYTE (4)
#define LOW_BITS (0x55) // of each pair. A pair is 0 if the block is free, 1 if an object begins in it

void *gc_alloc_default(size_t n_bytes, unsigned int alloc_flags);

void *gc_alloc(size_t n_bytes, unsigned int alloc_flags) {
    mp_state_mem_area_t *area = MP_STATE_MEM(gc_last_free_area);
    if (n_bytes - 1 >= MICROPY_BYTES_PER_GC_BLOCK || alloc_flags != 0 || area == NULL
        || MP_STATE_THREAD(gc_lock_depth) > 0
        || MP_STATE_MEM(gc_alloc_amount) >= MP_STATE_MEM(gc_alloc_threshold)) {
        return gc_alloc_default(n_bytes, alloc_flags);
    }
    for (size_t i = area->gc_last_free_atb_index; i < area->gc_alloc_table_byte_len; ++i) {
        unsigned pairs = area->gc_alloc_table_start[i];
        unsigned free = ~(pairs | pairs >> 1) & LOW_BITS;
        if (free != 0) {
            unsigned lowest = free & -free;
            area->gc_alloc_table_start[i] = pairs | lowest;
            size_t block = BLOCKS_PER_BYTE * i + (lowest > 1) + (lowest > 4) + (lowest > 16);
            // There is no free block before this one.
            area->gc_last_free_atb_index = (block + 1) / BLOCKS_PER_BYTE;
            if (area->gc_last_used_block < block) {
                area->gc_last_used_block = block;
            }
            MP_STATE_MEM(gc_alloc_amount) += 1;
            void *found = area->gc_pool_start + block * MICROPY_BYTES_PER_GC_BLOCK;
            return memset(__builtin_assume_aligned(found, sizeof(size_t)), 0, MICROPY_BYTES_PER_GC_BLOCK);
        }
    }
    return gc_alloc_default(n_bytes, alloc_flags);
}
