// SPDX-License-Identifier: MIT
//
// mp_map_lookup(), as the port has it, on tables that MicroPython's own code uses too: names are
// put in, looked for and removed, other keys come between them, memory runs out. An array says what
// each table holds. Few names have a hash of their own.

#include <setjmp.h>
#include <string.h>

#include "fuzz.h"
#include "../../ports/riscv/map.c"

// Names that have a number in .mpy files, as many others of MicroPython, of frozen files, and that
// were made since.
#define POOL (400)
#define NAMES (4 * POOL)
#define KEYS (NAMES + 20) // and small ints

static qstr_hash_t hashes[NAMES];
const qstr_pool_t mp_qstr_const_pool_static = { NULL, 0, false, POOL, POOL, hashes, NULL };
const qstr_pool_t mp_qstr_const_pool = {
    &mp_qstr_const_pool_static, POOL, false, POOL, POOL, hashes + POOL, NULL,
};
const qstr_pool_t mp_qstr_frozen_const_pool = {
    &mp_qstr_const_pool, 2 * POOL, false, POOL, POOL, hashes + 2 * POOL, NULL,
};

mp_uint_t qstr_hash(qstr name) {
    CHECK(name < NAMES);
    return hashes[name];
}

static mp_obj_t key_of(size_t i) {
    return i < NAMES ? MP_OBJ_NEW_QSTR(i) : MP_OBJ_NEW_SMALL_INT(i - NAMES);
}

static size_t index_of(mp_obj_t key) {
    size_t i = mp_obj_is_qstr(key) ? MP_OBJ_QSTR_VALUE(key) : NAMES + (size_t)MP_OBJ_SMALL_INT_VALUE(key);
    CHECK(i < KEYS);
    return i;
}

// What MicroPython's table asks of objects.
mp_state_ctx_t mp_state_ctx;
const mp_obj_type_t mp_type_str;

mp_obj_t mp_unary_op(mp_unary_op_t op, mp_obj_t key) {
    CHECK(op == MP_UNARY_OP_HASH);
    return key;
}

bool mp_obj_equal(mp_obj_t a, mp_obj_t b) {
    return a == b;
}

// Memory, which may run out.
static jmp_buf memory_error;
static bool scarce;

void *m_malloc_maybe(size_t n) {
    return scarce && below(2) ? NULL : calloc(1, n);
}

void *m_malloc0(size_t n) {
    void *p = m_malloc_maybe(n);
    if (p == NULL) {
        longjmp(memory_error, 1);
    }
    return p;
}

void *m_realloc(void *p, size_t n) {
    if (scarce && below(2)) {
        longjmp(memory_error, 1);
    }
    p = realloc(p, n);
    CHECK(p != NULL);
    return p;
}

void m_free(void *p) {
    free(p);
}

static mp_map_t map;
static mp_obj_t model[KEYS]; // the value of each key, or MP_OBJ_NULL
static size_t held;

static void compare(void) {
    CHECK(map.used == held);
    size_t found = 0;
    for (size_t i = 0; i < map.alloc; ++i) {
        mp_obj_t key = map.table[i].key;
        if (key != MP_OBJ_NULL && key != MP_OBJ_SENTINEL) {
            CHECK(map.table[i].value == model[index_of(key)]);
            ++found;
        }
    }
    CHECK(found == held);
}

static void change(size_t i) {
    mp_obj_t key = key_of(i);
    if (map.is_fixed || below(3) == 0) {
        mp_map_elem_t *slot = mp_map_lookup(&map, key, MP_MAP_LOOKUP);
        CHECK(slot == NULL ? model[i] == MP_OBJ_NULL : slot->value == model[i]);
    } else if (below(3)) {
        mp_map_elem_t *slot = mp_map_lookup(&map, key, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND);
        CHECK(slot->key == key && slot->value == model[i]);
        held += model[i] == MP_OBJ_NULL;
        slot->value = model[i] = MP_OBJ_NEW_SMALL_INT(below(1 << 30));
    } else {
        mp_map_elem_t *slot = mp_map_lookup(&map, key, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
        CHECK(slot == NULL ? model[i] == MP_OBJ_NULL : slot->value == model[i]);
        held -= slot != NULL;
        model[i] = MP_OBJ_NULL;
    }
}

static void attempt(size_t i) {
    if (setjmp(memory_error) == 0) {
        change(i);
    } else {
        compare(); // nothing has changed
    }
}

static void one(void) {
    static mp_map_elem_t fixed[40];
    size_t spread = below(3) ? 1 + below(40) : 65536;
    for (size_t i = 0; i < NAMES; ++i) {
        hashes[i] = below(spread);
    }
    memset(&mp_state_ctx, 0, sizeof(mp_state_ctx));
    memset(model, 0, sizeof(model));
    held = 0;
    scarce = false;
    // Names only, as of modules and classes, or any keys, as in a dict.
    size_t keys = below(2) ? NAMES : KEYS, kind = below(4);
    if (kind == 0) { // what stands in ROM
        held = below(40);
        size_t stride = 1 + below(NAMES / 40);
        for (size_t i = 0; i < held; ++i) {
            fixed[i].key = key_of(stride * i);
            fixed[i].value = model[stride * i] = MP_OBJ_NEW_SMALL_INT(i);
        }
        mp_map_init_fixed_table(&map, held, (const mp_obj_t *)fixed);
    } else {
        mp_map_init(&map, below(2) ? 0 : below(70));
        map.is_ordered = kind == 1;
    }
    size_t few = below(2) ? 1 + below(30) : keys;
    scarce = below(2);
    for (size_t n = below(below(8) ? 200 : 4000); n > 0; --n) {
        attempt(below(16) ? below(few) : keys - 1 - below(20));
    }
    compare();
    for (size_t i = 0; i < KEYS; ++i) {
        mp_map_elem_t *slot = mp_map_lookup(&map, key_of(i), MP_MAP_LOOKUP);
        CHECK(slot == mp_map_lookup_default(&map, key_of(i), MP_MAP_LOOKUP));
        CHECK(slot == NULL ? model[i] == MP_OBJ_NULL : slot->key == key_of(i) && slot->value == model[i]);
    }
    mp_map_deinit(&map);
}
