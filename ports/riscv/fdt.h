// SPDX-License-Identifier: MIT
//
// The facts that the port takes from the flattened device tree (Devicetree
// Specification 0.4, chapter 5) that QEMU leaves in RAM.
#ifndef VSND_RISCV_FDT_H
#define VSND_RISCV_FDT_H

#include <stddef.h>
#include <stdint.h>

typedef struct _fdt_info_t {
    uintptr_t ram_end;      // first address after RAM; 0 if the tree does not say
    const char *bootargs;   // /chosen/bootargs (QEMU's -append); "" if there is none
    const void *rng_seed;   // /chosen/rng-seed, different at each boot
    size_t rng_seed_bytes;  // 0 if there is none
} fdt_info_t;

// A null pointer, or one to anything but a device tree, gives the empty answer.
fdt_info_t fdt_read(const void *fdt);

#endif
