// SPDX-License-Identifier: MIT
//
// fdt_read() on trees that are well and on trees that are not. A tree lies in memory that ends with
// it, so that the address sanitizer sees a look beyond.

#include <string.h>

#include "fdt.h"
#include "fuzz.h"

#define HEADER (40)

static uint8_t tree[4096];
static size_t at;

static void set32(size_t where, uint32_t value) {
    for (int i = 0; i < 4; ++i) {
        tree[where + i] = value >> (24 - 8 * i);
    }
}

static uint32_t get32(size_t where) {
    return (uint32_t)tree[where] << 24 | tree[where + 1] << 16 | tree[where + 2] << 8 | tree[where + 3];
}

static void put32(uint32_t value) {
    set32(at, value);
    at += 4;
}

static void put(const void *data, size_t n) {
    memcpy(tree + at, data, n);
    memset(tree + at + n, 0, 4);
    at += (n + 3) & ~(size_t)3;
}

static void begin(const char *name) {
    put32(1);
    put(name, strlen(name) + 1);
}

static const char strings[] = "reg\0bootargs\0rng-seed\0compatible";

static void property(uint32_t name, const void *data, size_t n) {
    put32(3);
    put32(n);
    put32(name);
    put(data, n);
}

static void one(void) {
    uint64_t start = any() % 0x100000000, size = any() % 0x100000000;
    uint8_t reg[16], seed[32];
    for (int i = 0; i < 8; ++i) {
        reg[i] = start >> (56 - 8 * i);
        reg[8 + i] = size >> (56 - 8 * i);
    }
    for (size_t i = 0; i < sizeof(seed); ++i) {
        seed[i] = any();
    }
    char args[40];
    size_t len = below(sizeof(args));
    memset(args, 'a', len);
    args[len] = 0;

    at = HEADER;
    begin("");
    property(22, "board", 6);
    for (size_t i = below(3); i > 0; --i) {
        put32(4);
    }
    begin("chosen");
    property(4, args, len + 1);
    property(13, seed, sizeof(seed));
    put32(2);
    begin("memory@80000000");
    property(0, reg, sizeof(reg));
    put32(2);
    begin("soc");
    begin("chosen"); // at the wrong depth
    property(4, "no", 3);
    put32(2);
    put32(2);
    put32(2);
    put32(9);
    size_t struct_end = at;
    put(strings, sizeof(strings));
    set32(0, 0xd00dfeed);
    set32(4, at);
    set32(8, HEADER);
    set32(12, struct_end);

    size_t changes = below(4), total = at;
    for (size_t i = 0; i < changes; ++i) {
        if (below(8) == 0) {
            tree[below(total)] = any();
        } else {
            size_t where = below(3) ? below(total / 4) * 4 : below(4) * 4;
            set32(where, odd(below(2) ? get32(where) : total));
        }
    }
    // What says of itself that it is so large has that much memory; what is no tree, its first words.
    size_t memory = get32(0) == 0xd00dfeed ? get32(4) : 8;
    if (memory > 1 << 20) {
        memory = 8;
    }
    uint8_t *copy = calloc(1, memory < 8 ? 8 : memory);
    memcpy(copy, tree, memory < 8 ? 8 : memory < sizeof(tree) ? memory : sizeof(tree));
    fdt_info_t info = fdt_read(copy);
    const char *end = (const char *)copy + memory;
    if (changes == 0) {
        CHECK(info.ram_end == start + size);
        CHECK(strcmp(info.bootargs, args) == 0);
        CHECK(info.rng_seed_bytes == sizeof(seed) && memcmp(info.rng_seed, seed, sizeof(seed)) == 0);
    }
    size_t n = strlen(info.bootargs);
    if (n > 0) {
        CHECK(info.bootargs > (const char *)copy && info.bootargs + n < end);
    }
    if (info.rng_seed_bytes > 0) {
        const char *p = info.rng_seed;
        CHECK(p > (const char *)copy && p <= end && info.rng_seed_bytes <= (size_t)(end - p));
    }
    free(copy);
}
