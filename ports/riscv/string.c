// SPDX-License-Identifier: MIT
//
// The C library's block functions, a word at a time and eight times a round:
// picolibc's for RISC-V go byte by byte, and a 10 ms period of audio is 1920 bytes. Loads need not be
// aligned: QEMU's take one instruction anywhere in RAM and flash.

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A word that may lie anywhere, and over anything.
typedef uintptr_t __attribute__((may_alias, aligned(1))) word_t;

#define WORD (sizeof(word_t))
#define BITS (8 * WORD)
#define ROUND (8 * WORD)
#define ONES (~(word_t)0 / 0xff) // 0x0101...

void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    uint8_t *t = to;
    const uint8_t *f = from;
    for (; n > 0 && ((uintptr_t)t & (WORD - 1)); --n) {
        *t++ = *f++;
    }
    for (; n >= ROUND; n -= ROUND, t += ROUND, f += ROUND) {
        const word_t *s = (const word_t *)f;
        word_t *d = (word_t *)t;
        word_t w0 = s[0], w1 = s[1], w2 = s[2], w3 = s[3];
        word_t w4 = s[4], w5 = s[5], w6 = s[6], w7 = s[7];
        d[0] = w0;
        d[1] = w1;
        d[2] = w2;
        d[3] = w3;
        d[4] = w4;
        d[5] = w5;
        d[6] = w6;
        d[7] = w7;
    }
    for (; n >= WORD; n -= WORD, t += WORD, f += WORD) {
        *(word_t *)t = *(const word_t *)f;
    }
    while (n-- > 0) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t n) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t == f) {
        // MicroPython's slice assignment moves the tail of the sequence onto itself.
        return to;
    }
    if (t < f || t >= f + n) {
        // memcpy() only goes forward, and loads what is in a round before it stores that.
        return memcpy(to, from, n);
    }
    t += n;
    f += n;
    for (; n > 0 && ((uintptr_t)t & (WORD - 1)); --n) {
        *--t = *--f;
    }
    for (; n >= WORD; n -= WORD) {
        t -= WORD;
        f -= WORD;
        *(word_t *)t = *(const word_t *)f;
    }
    while (n-- > 0) {
        *--t = *--f;
    }
    return to;
}

void *memset(void *to, int value, size_t n) {
    uint8_t *t = to;
    for (; n > 0 && ((uintptr_t)t & (WORD - 1)); --n) {
        *t++ = value;
    }
    word_t w = (uint8_t)value * ONES;
    for (; n >= ROUND; n -= ROUND, t += ROUND) {
        word_t *d = (word_t *)t;
        d[0] = w;
        d[1] = w;
        d[2] = w;
        d[3] = w;
        d[4] = w;
        d[5] = w;
        d[6] = w;
        d[7] = w;
    }
    for (; n >= WORD; n -= WORD, t += WORD) {
        *(word_t *)t = w;
    }
    while (n-- > 0) {
        *t++ = value;
    }
    return to;
}

// The check of a used ring, and a search in names.
int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *x = a, *y = b;
    for (; n >= WORD && *(const word_t *)x == *(const word_t *)y; n -= WORD) {
        x += WORD;
        y += WORD;
    }
    for (; n > 0; --n, ++x, ++y) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

// An import walks over the names of all frozen modules, with strlen() from each to the
// next. What the loads read past the end is RAM or flash.
size_t strlen(const char *s) {
    const word_t ones = ONES;
    for (const char *p = s;; p += WORD) {
        word_t w = *(const word_t *)p;
        w = (w - ones) & ~w & ones << 7; // its lowest bit stands in the first byte that is 0
        if (w != 0) {
            w = ((w & -w) - 1) & ones; // one bit for each byte up to that
            return p - s + (w * ones >> (BITS - 8)) - 1;
        }
    }
}
