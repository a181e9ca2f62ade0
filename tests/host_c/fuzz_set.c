// SPDX-License-Identifier: MIT
//
// mp_set_lookup(), as the port has it, over MicroPython's own, while memory runs out. An array
// says what the set holds.

#include <string.h>

#include "fuzz.h"

#define mp_set_lookup mp_set_lookup_default
#include "py/map.c"
#undef mp_set_lookup
mp_obj_t mp_set_lookup(mp_set_t *set, mp_obj_t index, mp_map_lookup_kind_t lookup_kind);
#include "../../ports/riscv/set.c"

#define ITEMS (400) // small ints

mp_state_ctx_t mp_state_ctx;
const mp_obj_type_t mp_type_str;

mp_map_elem_t *mp_map_lookup(mp_map_t *map, mp_obj_t key, mp_map_lookup_kind_t kind) {
    return mp_map_lookup_default(map, key, kind);
}

mp_uint_t qstr_hash(qstr name) {
    return name;
}

void nlr_jump_fail(void *value) {
    (void)value;
    abort();
}

static size_t spread;

mp_obj_t mp_unary_op(mp_unary_op_t op, mp_obj_t item) {
    CHECK(op == MP_UNARY_OP_HASH);
    return MP_OBJ_NEW_SMALL_INT(MP_OBJ_SMALL_INT_VALUE(item) * 7919 % spread);
}

bool mp_obj_equal(mp_obj_t a, mp_obj_t b) {
    return a == b;
}

static bool scarce;

void *m_malloc0(size_t n) {
    if (scarce && below(2)) {
        nlr_jump(NULL);
    }
    return calloc(1, n);
}

void *m_realloc(void *p, size_t n) {
    return realloc(p, n);
}

void m_free(void *p) {
    free(p);
}

static mp_set_t set;
static bool model[ITEMS];
static size_t held;

static void change(size_t i, mp_map_lookup_kind_t kind) {
    mp_obj_t item = MP_OBJ_NEW_SMALL_INT(i), found;
    bool add = kind & MP_MAP_LOOKUP_ADD_IF_NOT_FOUND;
    bool remove = kind & MP_MAP_LOOKUP_REMOVE_IF_FOUND;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) != 0) {
        return; // MemoryError
    }
    found = mp_set_lookup(&set, item, kind);
    nlr_pop();
    CHECK(found == (model[i] || add ? item : MP_OBJ_NULL));
    bool now = model[i] ? !remove : add;
    held += now - model[i];
    model[i] = now;
}

static void one(void) {
    size_t few = below(2) ? 1 + below(30) : ITEMS;
    spread = below(3) ? 1 + below(40) : 65536;
    memset(model, 0, sizeof(model));
    held = 0;
    scarce = false;
    mp_set_init(&set, below(2) ? 0 : below(20));
    scarce = below(2);
    for (size_t n = below(300); n > 0; --n) {
        change(below(few), below(4)); // to look, add, remove, or one of these two
        CHECK(set.used == held);
        for (size_t i = below(few); i < few; i += 1 + below(few)) {
            mp_obj_t found = mp_set_lookup(&set, MP_OBJ_NEW_SMALL_INT(i), MP_MAP_LOOKUP);
            CHECK((found != MP_OBJ_NULL) == model[i]);
        }
    }
    free(set.table);
}
