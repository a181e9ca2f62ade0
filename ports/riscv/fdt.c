// SPDX-License-Identifier: MIT

#include <stdbool.h>
#include <string.h>

#include "fdt.h"

#define FDT_MAGIC       (0xd00dfeed)
// Tokens, as this processor reads them: all of the tree is looked at, at every power-on.
#define FDT_BEGIN_NODE  (0x01000000)
#define FDT_END_NODE    (0x02000000)
#define FDT_PROP        (0x03000000)
#define FDT_NOP         (0x04000000)

#define FDT_HEADER      (40)
#define FDT_SIZE_MAX    (1 << 20)

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static uint64_t be64(const uint8_t *p) {
    return (uint64_t)be32(p) << 32 | be32(p + 4);
}

fdt_info_t fdt_read(const void *fdt) {
    fdt_info_t info = { .bootargs = "" };
    const uint8_t *base = fdt;
    if (base == NULL || (uintptr_t)base % 4 != 0 || be32(base) != FDT_MAGIC) {
        return info;
    }
    // Offsets, all checked to be within `size`. Everything ends with the strings, so the last byte
    // is 0, and no string goes on beyond it.
    size_t size = be32(base + 4);
    if (size < FDT_HEADER || size > FDT_SIZE_MAX || base[size - 1] != 0) {
        return info;
    }
    size_t at = be32(base + 8), strings = be32(base + 12);
    if (at > size || at % 4 != 0 || strings > size) {
        return info;
    }

    // Both nodes stand directly below the root, which has two cells for an
    // address and two for a size on every machine of QEMU's.
    int depth = 0;
    bool memory = false, chosen = false;
    while (at < size && size - at >= 4) {
        uint32_t token = *(const uint32_t *)(base + at);
        at += 4;
        if (token == FDT_BEGIN_NODE) {
            if (at == size) {
                break;
            }
            const char *name = (const char *)base + at;
            if (++depth == 2) {
                memory = strncmp(name, "memory@", 7) == 0;
                chosen = strcmp(name, "chosen") == 0;
            }
            at += (strlen(name) + 4) & ~(size_t)3;
        } else if (token == FDT_END_NODE) {
            if (depth-- == 2) {
                memory = chosen = false;
            }
        } else if (token == FDT_PROP) {
            if (size - at < 8) {
                break;
            }
            size_t len = be32(base + at);
            const uint8_t *value = base + at + 8;
            at += 8;
            if (len > size - at) {
                break;
            }
            if (memory || chosen) {
                size_t name_at = be32(value - 4);
                if (name_at >= size - strings) {
                    break;
                }
                const char *name = (const char *)base + strings + name_at;
                if (memory && len >= 16 && strcmp(name, "reg") == 0) {
                    uint64_t start = be64(value), bytes = be64(value + 8);
                    bool fits = start <= UINTPTR_MAX && bytes <= UINTPTR_MAX - start;
                    info.ram_end = fits ? start + bytes : UINTPTR_MAX;
                } else if (chosen && len > 0 && value[len - 1] == 0 && strcmp(name, "bootargs") == 0) {
                    info.bootargs = (const char *)value;
                } else if (chosen && strcmp(name, "rng-seed") == 0) {
                    info.rng_seed = value;
                    info.rng_seed_bytes = len;
                }
            }
            at += (len + 3) & ~(size_t)3;
        } else if (token != FDT_NOP) {
            break; // FDT_END
        }
    }
    return info;
}
