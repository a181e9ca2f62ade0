// SPDX-License-Identifier: MIT
#ifndef VSND_RAMDISK_H
#define VSND_RAMDISK_H

#include <stdbool.h>
#include <stdint.h>

// Takes a part of RAM that ends at ram_end and is no other's; returns where it begins. Once, at
// power-on and after a machine reset, which leaves what stands there.
uintptr_t ramdisk_reserve(uintptr_t ram_start, uintptr_t ram_end);

// Whether there may be files on it.
bool ramdisk_used(void);

// Mounts the RAM disk at / and adds /lib to sys.path. After mp_init().
void ramdisk_mount(void);

#endif
