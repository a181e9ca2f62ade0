// SPDX-License-Identifier: MIT
//
// What the fuzzers share. Each is a program `NAME seed count` that makes so many cases from the
// seed, always the same ones; a sanitizer or CHECK() ends it with the case's own seed.
#ifndef VSND_TESTS_FUZZ_H
#define VSND_TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state, case_seed;

#define CHECK(condition) do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: case %llu: %s\n", __FILE__, __LINE__, (unsigned long long)case_seed, #condition); \
            abort(); \
        } \
} while (0)

// SplitMix64.
static inline uint64_t any(void) {
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

static inline size_t below(size_t n) {
    return any() % n;
}

// A number of the kind that breaks things.
static inline uint32_t odd(uint32_t near) {
    static const uint32_t edges[] = { 0, 1, 2, 3, 4, 7, 8, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xffffffff };
    switch (below(4)) {
        case 0:
            return edges[below(sizeof(edges) / sizeof(edges[0]))];
        case 1:
            return near + below(17) - 8;
        case 2:
            return below((size_t)near + 1);
        default:
            return any();
    }
}

static void one(void);

// One case from its own seed: `NAME seed 1` runs it again.
int main(int argc, char **argv) {
    CHECK(argc == 3);
    uint64_t first = strtoull(argv[1], NULL, 0), count = strtoull(argv[2], NULL, 0);
    for (case_seed = first; case_seed < first + count; ++case_seed) {
        state = case_seed * 0xd1342543de82ef95;
        one();
    }
    return 0;
}

#endif
