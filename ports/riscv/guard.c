// SPDX-License-Identifier: MIT
//
// Guards are locked entries of the PMP (physical memory protection), which machine mode has to
// obey too. All lie on page boundaries: QEMU asks the PMP once a page and remembers the answer,
// so that they cost nothing later. Devices do not come by here: see docs/safety.md.

#include <stdbool.h>
#include <stddef.h>

#include "board.h"
#include "guard.h"
#include "trap.h"

#define GUARD_SIZE (4096) // as in riscv.ld

// A PMP entry's configuration: L, the kind of address, and what is allowed.
#define NOTHING     (0x80)
#define R           (0x81)
#define RW          (0x83)
#define RX          (0x85)
#define TOR         (0x08)  // from the entry before up to this address
#define NAPOT       (0x18)  // a power of two of bytes

#define FOUR(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (uint32_t)(d) << 24)

#define TOP(address) ((uintptr_t)(address) >> 2)
#define RANGE(address, size) (((uintptr_t)(address) | ((size) / 2 - 1)) >> 2)

#define CSR_WRITE(name, value) __asm volatile ("csrw " #name ", %0" :: "r" (value) : "memory")

// Exception codes.
#define FETCH_FAULT (1)
#define STORE_FAULT (7)

extern uint8_t __image_start, __constants_end;
extern uint8_t __arena_low_guard, __arena_high_guard, __stack_guard, __trap_stack_guard;

void guard_init(void) {
    // The first entry that matches counts. None is left out: at a machine reset QEMU 10.0 unlocks
    // only as many, from the first one on, as there are in use.
    CSR_WRITE(pmpaddr0, RANGE(ROM_BASE, ROM_SIZE));
    CSR_WRITE(pmpaddr1, TOP(&__image_start)); // from that; it is there for the next one's start
    CSR_WRITE(pmpaddr2, TOP(&__constants_end));
    CSR_WRITE(pmpaddr3, RANGE(&__arena_low_guard, GUARD_SIZE));
    CSR_WRITE(pmpaddr4, RANGE(&__arena_high_guard, GUARD_SIZE));
    CSR_WRITE(pmpaddr5, RANGE(&__stack_guard, GUARD_SIZE));
    CSR_WRITE(pmpaddr6, RANGE(&__trap_stack_guard, GUARD_SIZE));
    CSR_WRITE(pmpaddr7, ~(uintptr_t)0); // all there is
    const uint32_t low = FOUR(NAPOT | R, TOR | RW, TOR | RX, NAPOT | NOTHING);
    const uint32_t high = FOUR(NAPOT | NOTHING, NAPOT | NOTHING, NAPOT | NOTHING, NAPOT | RW);
    #if __riscv_xlen == 64
    CSR_WRITE(pmpcfg0, (uint64_t)high << 32 | low);
    #else
    CSR_WRITE(pmpcfg0, low);
    CSR_WRITE(pmpcfg1, high);
    #endif
}

static bool lies_in(uintptr_t address, const uint8_t *start, size_t size) {
    return address - (uintptr_t)start < size;
}

const char *guard_hit(uintptr_t mcause, uintptr_t mtval) {
    if (mtval < GUARD_SIZE) {
        return "a null pointer was used";
    }
    if (lies_in(mtval, &__stack_guard, GUARD_SIZE)) {
        return "stack overflow: the C stack has grown into its guard page";
    }
    if (lies_in(mtval, &__trap_stack_guard, GUARD_SIZE)) {
        return "stack overflow: that of interrupt handlers has grown into its guard page";
    }
    if (lies_in(mtval, &__arena_low_guard, GUARD_SIZE)) {
        return "the guard page below the DMA arena was hit";
    }
    if (lies_in(mtval, &__arena_high_guard, GUARD_SIZE)) {
        return "the guard page beyond the DMA arena was hit";
    }
    if (mcause == FETCH_FAULT) {
        return "a jump into data: only the image's code is executable";
    }
    if (mcause == STORE_FAULT && lies_in(mtval, &__image_start, &__constants_end - &__image_start)) {
        return "a write to code or constants, which are read-only";
    }
    if (mcause == STORE_FAULT && lies_in(mtval, (const uint8_t *)ROM_BASE, ROM_SIZE)) {
        return "a write to /rom, which is read-only";
    }
    return NULL;
}

// What GCC's -fstack-protector lays below a frame's return address, and calls if it has changed when
// the function returns. Its first byte is 0, so no string is copied over it unchanged.
uintptr_t __stack_chk_guard __attribute__((used)) = (uintptr_t)UINT64_C(0xb3d10affc5a97e00);

__attribute__((used)) void __stack_chk_fail(void) {
    crash("stack smashed: a function wrote beyond an array of its own");
}
