// SPDX-License-Identifier: MIT

#include <stdbool.h>
#include <string.h>

#include "fdt.h"

#define FDT_MAGIC       (0xd00dfeed)
#define FDT_BEGIN_NODE  (1)
#define FDT_END_NODE    (2)
#define FDT_PROP        (3)
#define FDT_NOP         (4)

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
    if (base == NULL || be32(base) != FDT_MAGIC || be32(base + 4) > FDT_SIZE_MAX) {
        return info;
    }
    const uint8_t *end = base + be32(base + 4);
    const uint8_t *p = base + be32(base + 8);
    const char *strings = (const char *)base + be32(base + 12);

    // Both nodes stand directly below the root, which has two cells for an
    // address and two for a size on every machine of QEMU's.
    int depth = 0;
    bool memory = false, chosen = false;
    while (p + 4 <= end) {
        uint32_t token = be32(p);
        p += 4;
        if (token == FDT_BEGIN_NODE) {
            const char *name = (const char *)p;
            if (++depth == 2) {
                memory = strncmp(name, "memory@", 7) == 0;
                chosen = strcmp(name, "chosen") == 0;
            }
            p += (strlen(name) + 4) & ~3ul;
        } else if (token == FDT_END_NODE) {
            if (depth-- == 2) {
                memory = chosen = false;
            }
        } else if (token == FDT_PROP) {
            uint32_t len = be32(p);
            if (memory || chosen) {
                const char *name = strings + be32(p + 4);
                if (memory && len >= 16 && strcmp(name, "reg") == 0) {
                    uint64_t ram_end = be64(p + 8) + be64(p + 16);
                    info.ram_end = ram_end < UINTPTR_MAX ? ram_end : UINTPTR_MAX;
                } else if (chosen && len > 0 && p[8 + len - 1] == 0 && strcmp(name, "bootargs") == 0) {
                    info.bootargs = (const char *)p + 8;
                } else if (chosen && strcmp(name, "rng-seed") == 0) {
                    info.rng_seed = p + 8;
                    info.rng_seed_bytes = len;
                }
            }
            p += 8 + ((len + 3) & ~3u);
        } else if (token != FDT_NOP) {
            break; // FDT_END
        }
    }
    return info;
}
