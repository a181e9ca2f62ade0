// SPDX-License-Identifier: MIT
//
// import statements. A program has a hundred of them before it does anything, most of them for
// what is loaded already: those end here with one look into sys.modules. MicroPython's own code
// comes to the same result by searching all the names that it knows several times.

#include <string.h>

#include "py/builtin.h"
#include "py/objmodule.h"
#include "py/objstr.h"
#include "py/runtime.h"

static mp_map_t *loaded_modules(void) {
    return &MP_STATE_VM(mp_loaded_modules_dict).map;
}

// What is loaded under that name, or NULL.
static mp_map_elem_t *find(mp_obj_t name) {
    return mp_map_lookup(loaded_modules(), name, MP_MAP_LOOKUP);
}

// The same for `from .name import`, in the package of who imports.
static mp_map_elem_t *find_sibling(const char *name, size_t len) {
    mp_map_t *globals = &mp_globals_get()->map;
    mp_map_elem_t *self = mp_map_lookup(globals, MP_OBJ_NEW_QSTR(MP_QSTR___name__), MP_MAP_LOOKUP);
    if (self == NULL) {
        return NULL;
    }
    size_t n;
    const char *package = mp_obj_str_get_data(self->value, &n);
    if (mp_map_lookup(globals, MP_OBJ_NEW_QSTR(MP_QSTR___path__), MP_MAP_LOOKUP) == NULL) {
        // A module: the package is what stands before the last dot.
        while (n > 0 && package[--n] != '.') {
        }
    }
    char full[64];
    if (n == 0 || n + 1 + len > sizeof(full)) {
        return NULL;
    }
    memcpy(full, package, n);
    if (len > 0) {
        full[n++] = '.';
        memcpy(full + n, name, len);
    }
    mp_obj_str_t key = {{&mp_type_str}, 0, n + len, (const byte *)full};
    return find(MP_OBJ_FROM_PTR(&key));
}

// Arguments as of __import__(): name, globals, locals, names to import, level.
mp_obj_t import_module(size_t n_args, const mp_obj_t *args) {
    size_t paths;
    mp_obj_t *path;
    mp_obj_get_array(mp_sys_path, &paths, &path);
    if (paths == 0 || n_args < 5) {
        // An empty path says: built-in modules only, whatever is loaded.
        return mp_builtin___import___default(n_args, args);
    }
    size_t len;
    const char *name = mp_obj_str_get_data(args[0], &len);
    bool top_level = args[4] == MP_OBJ_NEW_SMALL_INT(0) && memchr(name, '.', len) == NULL;
    mp_map_elem_t *loaded = NULL;
    if (top_level) {
        loaded = find(args[0]);
    } else if (args[4] == MP_OBJ_NEW_SMALL_INT(1) && args[3] != mp_const_none) {
        loaded = find_sibling(name, len);
    }
    if (loaded != NULL) {
        return loaded->value;
    }
    mp_obj_t module = mp_builtin___import___default(n_args, args);
    // A built-in module is not entered into sys.modules; without this it would be searched in all
    // of sys.path at every import, in case a file there extends it.
    if (top_level && mp_obj_get_type(module) == &mp_type_module && mp_obj_module_get_globals(module)->map.is_fixed) {
        mp_map_lookup(loaded_modules(), args[0], MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = module;
    }
    return module;
}
