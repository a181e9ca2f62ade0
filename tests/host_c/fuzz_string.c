// SPDX-License-Identifier: MIT
//
// The port's memcpy(), memmove(), memset(), memcmp() and strlen() against loops that are too simple
// to be wrong. Memory ends at pages that cannot be touched: whole words may be read, but none of
// those.

#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

// The functions as the board has them, under other names. Words have 64 or 32 bits: buffers lie
// where 32 bits are enough for an address.
#define memcpy our_memcpy
#define memmove our_memmove
#define memset our_memset
#define memcmp our_memcmp
#define strlen our_strlen
#ifdef WORD32
#define uintptr_t uint32_t
#endif
#include "../../ports/riscv/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef uintptr_t

#define PAGE (4096)
#define MARK (0xa5)

// A page between two that fault.
static uint8_t *page(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT;
    uint8_t *p = mmap(NULL, 3 * PAGE, PROT_NONE, flags, -1, 0);
    CHECK(p != MAP_FAILED && mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    return p + PAGE;
}

// Somewhere in a page, with a preference for its ends.
static size_t place(size_t n) {
    size_t room = PAGE - n;
    switch (below(3)) {
        case 0:
            return below(room < 20 ? room + 1 : 20);
        case 1:
            return room - below(room < 20 ? room + 1 : 20);
        default:
            return below(room + 1);
    }
}

static int compare(const uint8_t *x, const uint8_t *y, size_t n) {
    for (; n > 0; --n, ++x, ++y) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
    }
    return 0;
}

static void one(void) {
    static uint8_t *a, *b;
    static uint8_t model[PAGE], before[PAGE];
    if (a == NULL) {
        a = page();
        b = page();
    }
    size_t n = below(2) ? below(40) : below(700);
    size_t from = place(n), to = place(n);
    for (size_t i = 0; i < PAGE; ++i) {
        a[i] = any();
        b[i] = model[i] = MARK;
    }
    for (size_t i = 0; i < n; ++i) {
        model[to + i] = a[from + i];
    }
    CHECK(our_memcpy(b + to, a + from, n) == b + to);
    CHECK(memcmp(b, model, PAGE) == 0);

    to = below(2) ? place(n) : from + below(33) - 16;
    if (to > PAGE - n) {
        to = from;
    }
    for (size_t i = 0; i < PAGE; ++i) {
        before[i] = model[i] = a[i];
    }
    for (size_t i = 0; i < n; ++i) {
        model[to + i] = before[from + i];
    }
    CHECK(our_memmove(a + to, a + from, n) == a + to);
    CHECK(memcmp(a, model, PAGE) == 0);

    int value = any();
    for (size_t i = 0; i < PAGE; ++i) {
        model[i] = b[i];
    }
    for (size_t i = 0; i < n; ++i) {
        model[to + i] = value;
    }
    CHECK(our_memset(b + to, value, n) == b + to);
    CHECK(memcmp(b, model, PAGE) == 0);

    // What is equal, but for a byte now and then.
    from = place(n), to = place(n);
    memcpy(b + to, a + from, n);
    if (n > 0 && below(3)) {
        b[to + below(n)] = any();
    }
    int difference = our_memcmp(a + from, b + to, n);
    CHECK((difference > 0) - (difference < 0) == compare(a + from, b + to, n));

    // strlen() reads up to a word from where the string ends (see riscv.ld).
    size_t at = below(PAGE - 800);
    for (size_t i = 0; i < n; ++i) {
        a[at + i] = 1 + below(255);
    }
    a[at + n] = 0;
    CHECK(our_strlen((char *)a + at) == n);
}
