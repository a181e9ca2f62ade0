// SPDX-License-Identifier: MIT
//
// A generator of random bytes: the key stream of ChaCha20 (RFC 8439), of which each block is
// used once and the first half becomes the next key, so that the past cannot be computed.
//
// The key begins with what QEMU put into the device tree, the clocks, and what module vrng gets
// from the host. It lives through soft resets: two programs never get the same bytes.

#include <string.h>

#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "csr.h"
#include "random.h"

#define KEY_BYTES (32)
#define BLOCK_BYTES (64)

static uint32_t key[KEY_BYTES / 4];
static bool seeded;
static const void *first_seed;
static size_t first_seed_bytes;

void random_init(const void *seed, size_t n) {
    first_seed = seed;
    first_seed_bytes = n;
}

static uint32_t rotated(uint32_t x, unsigned n) {
    return x << n | x >> (32 - n);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d) {
    *a += *b;
    *d = rotated(*d ^ *a, 16);
    *c += *d;
    *b = rotated(*b ^ *c, 12);
    *a += *b;
    *d = rotated(*d ^ *a, 8);
    *c += *d;
    *b = rotated(*b ^ *c, 7);
}

// The block of counter and nonce 0. Its first half replaces the key, its second half is given out.
static void next_block(uint8_t *half) {
    uint32_t first[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    memcpy(first + 4, key, KEY_BYTES);
    uint32_t x[16];
    memcpy(x, first, sizeof(x));
    for (int i = 0; i < 10; ++i) {
        for (int k = 0; k < 4; ++k) {
            quarter_round(&x[k], &x[4 + k], &x[8 + k], &x[12 + k]);
        }
        for (int k = 0; k < 4; ++k) {
            quarter_round(&x[k], &x[4 + (k + 1) % 4], &x[8 + (k + 2) % 4], &x[12 + (k + 3) % 4]);
        }
    }
    for (int i = 0; i < 16; ++i) {
        x[i] += first[i];
    }
    memcpy(key, x, KEY_BYTES);
    memcpy(half, (uint8_t *)x + KEY_BYTES, BLOCK_BYTES - KEY_BYTES);
}

static void stir(const void *data, size_t n) {
    const uint8_t *p = data;
    while (n > 0) {
        size_t part = n < KEY_BYTES ? n : KEY_BYTES;
        for (size_t i = 0; i < part; ++i) {
            ((uint8_t *)key)[i] ^= p[i];
        }
        uint8_t unused[BLOCK_BYTES - KEY_BYTES];
        next_block(unused);
        p += part;
        n -= part;
    }
}

static void seed(void) {
    stir(first_seed, first_seed_bytes);
    uint64_t clocks[2] = { mp_hal_time_ns(), clint_time() };
    stir(clocks, sizeof(clocks));
    if (in_interrupt() || gc_is_locked()) {
        return; // no place for a driver: the next call does it
    }
    mp_obj_t module = mp_import_name(MP_QSTR_vrng, mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
    mp_obj_t more = mp_call_function_0(mp_load_attr(module, MP_QSTR_seed));
    mp_buffer_info_t buf;
    mp_get_buffer_raise(more, &buf, MP_BUFFER_READ);
    stir(buf.buf, buf.len);
    seeded = true;
}

void random_bytes(void *to, size_t n) {
    if (!seeded) {
        seed();
    }
    uint8_t *p = to;
    while (n > 0) {
        uint8_t half[BLOCK_BYTES - KEY_BYTES];
        next_block(half);
        size_t part = n < sizeof(half) ? n : sizeof(half);
        memcpy(p, half, part);
        p += part;
        n -= part;
    }
}
