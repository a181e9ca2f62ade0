// SPDX-License-Identifier: MIT
//
// MicroPython's own headers and sources on this machine, configured as far as what is fuzzed
// depends on it (see ports/riscv/mpconfigport.h).
#include <alloca.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL                (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)
#define MICROPY_ENABLE_GC                       (1)
#define MICROPY_PERSISTENT_CODE_LOAD            (1)
#define MICROPY_MODULE_FROZEN                   (1)
#define MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE       (1024)
#define MICROPY_WRAP_MP_MAP_LOOKUP(f)           f##_default
#define MICROPY_NLR_SETJMP                      (1)
#define MP_SSIZE_MAX                            (INTPTR_MAX)

typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef intptr_t mp_off_t;
