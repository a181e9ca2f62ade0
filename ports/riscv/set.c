// SPDX-License-Identifier: MIT
//
// Sets. MicroPython counts the slots of a larger table before it has memory for it, and after a
// MemoryError looks for all of them in the smaller one. Here the count is what it was.

#include "py/nlr.h"
#include "py/runtime.h"

mp_obj_t mp_set_lookup_default(mp_set_t *set, mp_obj_t item, mp_map_lookup_kind_t kind);

mp_obj_t mp_set_lookup(mp_set_t *set, mp_obj_t item, mp_map_lookup_kind_t kind) {
    if (set->used < set->alloc || !(kind & MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)) {
        return mp_set_lookup_default(set, item, kind); // there is room
    }
    const mp_set_t before = *set;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t found = mp_set_lookup_default(set, item, kind);
        nlr_pop();
        return found;
    }
    if (set->table == before.table && set->alloc != before.alloc) {
        *set = before;
    }
    nlr_jump(nlr.ret_val);
}
