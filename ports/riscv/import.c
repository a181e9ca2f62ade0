// SPDX-License-Identifier: MIT
//
// import statements. A program has a hundred of them before it does anything. Most are for what is
// loaded already: those end here with one look into sys.modules. Most of the others are for a
// module of a frozen package, which can only be one of the frozen files. MicroPython's own code
// comes to the same results by searching all the names that it knows several times; it does
// everything else.

#include <string.h>

#include "py/builtin.h"
#include "py/emitglue.h"
#include "py/frozenmod.h"
#include "py/objmodule.h"
#include "py/objstr.h"
#include "py/runtime.h"

extern const qstr_pool_t mp_qstr_const_pool;

#define FULL_NAME_MAX (64)
static const char frozen_prefix[] = ".frozen/"; // of __path__, for a package among the frozen files

// The name that the import statement has. Names are searched among all that there are by comparing
// text: this one need not be.
static mp_obj_t wanted;

typedef struct {
    size_t len;
    char text[FULL_NAME_MAX];
} name_t;

static mp_map_t *loaded_modules(void) {
    return &MP_STATE_VM(mp_loaded_modules_dict).map;
}

// A frozen package or module by its full name, one of those in frozen_names.h; or MP_QSTRnull. The
// names of MicroPython and the port are sorted: a tenth of a search through all that there are.
static qstr frozen_name(const char *text, size_t len) {
    const qstr_pool_t *pool = &mp_qstr_const_pool;
    size_t low = 0, high = pool->len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        size_t n = pool->lengths[middle];
        int order = memcmp(text, pool->qstrs[middle], len < n ? len : n);
        if (order == 0 && len == n) {
            return pool->total_prev_len + middle;
        }
        if (order > 0 || (order == 0 && len > n)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return MP_QSTRnull;
}

// What is loaded under that name, or NULL.
static mp_obj_t loaded(qstr name) {
    mp_map_elem_t *found = mp_map_lookup(loaded_modules(), MP_OBJ_NEW_QSTR(name), MP_MAP_LOOKUP);
    return found == NULL ? MP_OBJ_NULL : found->value;
}

// The full name of what `from .name import` means, in the package of who imports.
static bool sibling(const char *name, size_t len, name_t *full) {
    mp_map_t *globals = &mp_globals_get()->map;
    mp_map_elem_t *self = mp_map_lookup(globals, MP_OBJ_NEW_QSTR(MP_QSTR___name__), MP_MAP_LOOKUP);
    if (self == NULL) {
        return false;
    }
    size_t n;
    const char *package = mp_obj_str_get_data(self->value, &n);
    if (mp_map_lookup(globals, MP_OBJ_NEW_QSTR(MP_QSTR___path__), MP_MAP_LOOKUP) == NULL) {
        // A module: the package is what stands before the last dot.
        while (n > 0 && package[--n] != '.') {
        }
    }
    if (n == 0 || n + 1 + len > FULL_NAME_MAX) {
        return false;
    }
    memcpy(full->text, package, n);
    if (len > 0) {
        full->text[n++] = '.';
        memcpy(full->text + n, name, len);
    }
    full->len = n + len;
    return true;
}

// The frozen file of the module of that full name, and its package; NULL if it is none.
static const mp_frozen_module_t *frozen_file(const name_t *full, const char *dot, mp_obj_t *package) {
    *package = loaded(frozen_name(full->text, dot - full->text));
    if (*package == MP_OBJ_NULL || !mp_obj_is_exact_type(*package, &mp_type_module)) {
        return NULL;
    }
    mp_map_t *globals = &mp_obj_module_get_globals(*package)->map;
    mp_map_elem_t *path = mp_map_lookup(globals, MP_OBJ_NEW_QSTR(MP_QSTR___path__), MP_MAP_LOOKUP);
    if (path == NULL || !mp_obj_is_str(path->value)) {
        return NULL;
    }
    const size_t prefix = sizeof(frozen_prefix) - 1;
    size_t n, name_len = full->len - (dot + 1 - full->text);
    const char *folder = mp_obj_str_get_data(path->value, &n);
    char file[2 * FULL_NAME_MAX];
    if (n < prefix || memcmp(folder, frozen_prefix, prefix) != 0 || n + name_len + sizeof("/.py") > sizeof(file)) {
        return NULL;
    }
    n -= prefix;
    memcpy(file, folder + prefix, n);
    file[n++] = '/';
    memcpy(file + n, dot + 1, name_len);
    memcpy(file + n + name_len, ".py", sizeof(".py"));
    int type;
    void *data;
    mp_find_frozen_module(file, &type, &data);
    return type == MP_FROZEN_MPY ? data : NULL;
}

static void run(mp_module_context_t *module, const mp_frozen_module_t *frozen) {
    module->constants = frozen->constants;
    mp_obj_dict_t *globals = mp_globals_get(), *locals = mp_locals_get();
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_globals_set(module->module.globals);
        mp_locals_set(module->module.globals);
        mp_call_function_0(mp_make_function_from_proto_fun(frozen->proto_fun, module, NULL));
        nlr_pop();
        mp_globals_set(globals);
        mp_locals_set(locals);
    } else {
        mp_globals_set(globals);
        mp_locals_set(locals);
        mp_obj_t name = mp_obj_dict_get(MP_OBJ_FROM_PTR(module->module.globals), MP_OBJ_NEW_QSTR(MP_QSTR___name__));
        mp_map_lookup(loaded_modules(), name, MP_MAP_LOOKUP_REMOVE_IF_FOUND);
        nlr_jump(nlr.ret_val);
    }
}

// qstr_from_strn(), for MicroPython's import statements too (see Makefile).
qstr import_qstr(const char *text, size_t len);
qstr import_qstr(const char *text, size_t len) {
    if (mp_obj_is_qstr(wanted)) {
        size_t n;
        const char *known = mp_obj_str_get_data(wanted, &n);
        if (n == len && (known == text || memcmp(known, text, len) == 0)) {
            return MP_OBJ_QSTR_VALUE(wanted);
        }
    }
    return qstr_from_strn(text, len);
}

// Load the module of that full name from the frozen files; MP_OBJ_NULL if it is not there.
static mp_obj_t load_frozen(const name_t *full, qstr name) {
    const char *dot = full->text + full->len;
    while (dot > full->text && *--dot != '.') {
    }
    mp_obj_t package;
    const mp_frozen_module_t *frozen = frozen_file(full, dot, &package);
    if (frozen == NULL) {
        return MP_OBJ_NULL;
    }
    mp_obj_t module = mp_obj_new_module(name);
    qstr last = import_qstr(dot + 1, full->text + full->len - (dot + 1));
    // The first name in a frozen file is its own.
    mp_store_attr(module, MP_QSTR___file__, MP_OBJ_NEW_QSTR(frozen->constants.qstr_table[0]));
    run(MP_OBJ_TO_PTR(module), frozen);
    mp_store_attr(package, last, module);
    return module;
}

// Arguments as of __import__(): name, globals, locals, names to import, level.
mp_obj_t import_module(size_t n_args, const mp_obj_t *args) {
    size_t paths;
    mp_obj_t *path;
    mp_obj_get_array(mp_sys_path, &paths, &path);
    if (paths == 0 || n_args < 5) {
        // An empty path says: built-in modules only, whatever is loaded.
        wanted = mp_const_none;
        return mp_builtin___import___default(n_args, args);
    }
    wanted = args[0];
    size_t len;
    const char *name = mp_obj_str_get_data(wanted, &len);
    bool absolute = args[4] == MP_OBJ_NEW_SMALL_INT(0);
    bool top_level = absolute && memchr(name, '.', len) == NULL;
    if (top_level) {
        mp_map_elem_t *found = mp_map_lookup(loaded_modules(), args[0], MP_MAP_LOOKUP);
        if (found != NULL) {
            return found->value;
        }
    } else if (args[3] != mp_const_none) {
        // A module of a package, and that itself is wanted, not the package.
        name_t full;
        if (absolute && len <= FULL_NAME_MAX) {
            memcpy(full.text, name, len);
            full.len = len;
        } else if (args[4] != MP_OBJ_NEW_SMALL_INT(1) || !sibling(name, len, &full)) {
            full.len = 0;
        }
        qstr known = frozen_name(full.text, full.len);
        if (known != MP_QSTRnull) {
            mp_obj_t module = loaded(known);
            if (module == MP_OBJ_NULL) {
                module = load_frozen(&full, known);
            }
            if (module != MP_OBJ_NULL) {
                return module;
            }
        }
    }
    mp_obj_t module = mp_builtin___import___default(n_args, args);
    // A built-in module is not entered into sys.modules; without this it would be searched in all
    // of sys.path at every import, in case a file there extends it.
    if (top_level && mp_obj_get_type(module) == &mp_type_module && mp_obj_module_get_globals(module)->map.is_fixed) {
        mp_map_lookup(loaded_modules(), args[0], MP_MAP_LOOKUP_ADD_IF_NOT_FOUND)->value = module;
    }
    return module;
}
