// SPDX-License-Identifier: MIT
//
// Dictionaries whose keys are names: those of modules, classes and instances, in which the
// interpreter looks up every name of a program that is no local variable. MicroPython's tables
// grow by two slots, or a quarter, and only when not one is free: an object with 20 attributes is
// hashed anew eight times, and a name that is not there is compared with all that are. Here a
// table grows eight times, later twice as large, and always has room. Everything else is left to
// MicroPython's own code (MICROPY_WRAP_MP_MAP_LOOKUP), which finds the same names in the same places.

#include "py/qstr.h"
#include "py/runtime.h"

// Names that the frozen files have, those of MicroPython and the port, and those that .mpy files
// know by number.
extern const qstr_pool_t mp_qstr_frozen_const_pool, mp_qstr_const_pool, mp_qstr_const_pool_static;

#define SMALLEST (4)
#define SECOND (32) // most classes and objects of drivers fit in here
#define DOUBLED_UP_TO (1024) // slots; beyond, memory counts for more

mp_map_elem_t *mp_map_lookup_default(mp_map_t *map, mp_obj_t key, mp_map_lookup_kind_t kind);

// Open addressing in steps of one, as in MicroPython: the next slot after `at`, round the end.
static inline mp_map_elem_t *next(mp_map_t *map, mp_map_elem_t *at) {
    return ++at == map->table + map->alloc ? map->table : at;
}

static inline bool in_pool(const qstr_pool_t *pool, qstr name) {
    return name - pool->total_prev_len < pool->len;
}

// As qstr_hash(), which begins with the names that were made since power-on.
static inline size_t hash(qstr name) {
    if (in_pool(&mp_qstr_frozen_const_pool, name)) {
        return mp_qstr_frozen_const_pool.hashes[name - mp_qstr_frozen_const_pool.total_prev_len];
    }
    if (in_pool(&mp_qstr_const_pool, name)) {
        return mp_qstr_const_pool.hashes[name - mp_qstr_const_pool.total_prev_len];
    }
    if (in_pool(&mp_qstr_const_pool_static, name)) {
        return mp_qstr_const_pool_static.hashes[name - mp_qstr_const_pool_static.total_prev_len];
    }
    return qstr_hash(name);
}

static inline mp_map_elem_t *first(mp_map_t *map, mp_obj_t name) {
    return map->table + hash(MP_OBJ_QSTR_VALUE(name)) % map->alloc;
}

// A free slot for a name that is not in the table.
static mp_map_elem_t *take(mp_map_t *map, mp_obj_t name) {
    mp_map_elem_t *slot = first(map, name);
    while (slot->key != MP_OBJ_NULL && slot->key != MP_OBJ_SENTINEL) {
        slot = next(map, slot);
    }
    map->used += 1;
    slot->key = name;
    return slot;
}

// False if there is no memory for that; the map is what it was.
static bool grow(mp_map_t *map) {
    mp_map_t old = *map;
    size_t alloc = SMALLEST;
    while (alloc <= old.alloc) {
        alloc = alloc < SECOND ? SECOND : 2 * alloc;
    }
    MP_STATIC_ASSERT(MICROPY_GC_CONSERVATIVE_CLEAR); // new memory is 0
    mp_map_elem_t *table = m_new_maybe(mp_map_elem_t, alloc);
    if (table == NULL) {
        return false;
    }
    map->table = table;
    map->alloc = alloc;
    map->used = 0;
    for (size_t i = 0; i < old.alloc; ++i) {
        if (old.table[i].key != MP_OBJ_NULL && old.table[i].key != MP_OBJ_SENTINEL) {
            take(map, old.table[i].key)->value = old.table[i].value;
        }
    }
    m_del(mp_map_elem_t, old.table, old.alloc);
    return true;
}

static inline bool has_room(mp_map_t *map) {
    return map->used + map->used / 4u < map->alloc;
}

static MP_NOINLINE mp_map_elem_t *add(mp_map_t *map, mp_obj_t name) {
    // No MemoryError from here: it may be MicroPython that fills its own larger table anew.
    if (!has_room(map) && (map->alloc >= DOUBLED_UP_TO || !grow(map))) {
        return mp_map_lookup_default(map, name, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND);
    }
    mp_map_elem_t *slot = take(map, name);
    slot->value = MP_OBJ_NULL;
    return slot;
}

// What stands in ROM is no hash table: the names one after the other. MicroPython's cache says
// where a name was last, in whatever table.
static inline mp_map_elem_t *lookup_ordered(mp_map_t *map, mp_obj_t name) {
    uint8_t *cached = &MP_STATE_VM(map_lookup_cache)[((uintptr_t)name >> 2) % MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE];
    mp_map_elem_t *slot = map->table + *cached, *end = map->table + map->used;
    if (slot < end && slot->key == name) {
        return slot;
    }
    for (slot = map->table; slot < end; ++slot) {
        if (slot->key == name) {
            *cached = slot - map->table;
            return slot;
        }
    }
    return NULL;
}

// A new key in an OrderedDict that is full. MicroPython counts the new slots before it has memory
// for them, and after a MemoryError writes beyond the table.
static MP_NOINLINE mp_map_elem_t *add_ordered(mp_map_t *map, mp_obj_t key) {
    mp_map_elem_t *slot = mp_map_lookup_default(map, key, MP_MAP_LOOKUP);
    if (slot != NULL) {
        return slot;
    }
    map->table = m_renew(mp_map_elem_t, map->table, map->alloc, map->alloc + SMALLEST);
    mp_seq_clear(map->table, map->used, map->alloc + SMALLEST, sizeof(mp_map_elem_t));
    map->alloc += SMALLEST;
    return mp_map_lookup_default(map, key, MP_MAP_LOOKUP_ADD_IF_NOT_FOUND);
}

static inline mp_map_elem_t *otherwise(mp_map_t *map, mp_obj_t key, mp_map_lookup_kind_t kind) {
    if (kind == MP_MAP_LOOKUP_ADD_IF_NOT_FOUND && map->is_ordered && map->used == map->alloc) {
        return add_ordered(map, key);
    }
    return mp_map_lookup_default(map, key, kind);
}

mp_map_elem_t *mp_map_lookup(mp_map_t *map, mp_obj_t name, mp_map_lookup_kind_t kind) {
    if (!mp_obj_is_qstr(name) || !map->all_keys_are_qstrs || kind > MP_MAP_LOOKUP_ADD_IF_NOT_FOUND) {
        return otherwise(map, name, kind);
    }
    if (map->is_ordered) {
        return kind == MP_MAP_LOOKUP ? lookup_ordered(map, name) : otherwise(map, name, kind);
    }
    if (map->alloc > 0) {
        mp_map_elem_t *start = first(map, name), *slot = start;
        if (slot->key == name) {
            return slot;
        }
        do {
            if (slot->key == MP_OBJ_NULL) {
                if (kind != MP_MAP_LOOKUP && has_room(map)) {
                    map->used += 1;
                    slot->key = name;
                    slot->value = MP_OBJ_NULL;
                    return slot;
                }
                break;
            }
            slot = next(map, slot);
            if (slot->key == name) {
                return slot;
            }
        } while (slot != start);
    }
    return kind == MP_MAP_LOOKUP ? NULL : add(map, name);
}
