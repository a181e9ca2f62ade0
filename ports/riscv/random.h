// SPDX-License-Identifier: MIT
//
// Random bytes for os.urandom() and the seed of module random.
#ifndef VSND_RISCV_RANDOM_H
#define VSND_RISCV_RANDOM_H

#include <stddef.h>

// Where the device tree has the seed that QEMU made for this boot; n is 0 if it has none.
void random_init(const void *seed, size_t n);

// The first call asks the host for more, if the machine has a virtio-rng; that may raise.
void random_bytes(void *buf, size_t n);

#endif
