// SPDX-License-Identifier: MIT
//
// When a class is made, each of its members is asked four times whether it is a descriptor, thrice
// with an exception handler around the question. Most members are functions, small ints or names,
// which never are.

#include "py/runtime.h"

// MicroPython's own function of that name (see Makefile).
void mp_load_method_protected_default(mp_obj_t obj, qstr attr, mp_obj_t *dest, bool catch_all_exc);

// What py/objtype.c calls in place of mp_load_method_maybe().
void class_load_method_maybe(mp_obj_t obj, qstr attr, mp_obj_t *dest);

static inline bool is_no_descriptor(mp_obj_t obj) {
    return !mp_obj_is_obj(obj) || mp_obj_is_exact_type(obj, &mp_type_fun_bc)
           || mp_obj_is_exact_type(obj, &mp_type_gen_wrap);
}

void mp_load_method_protected(mp_obj_t obj, qstr attr, mp_obj_t *dest, bool catch_all_exc) {
    if ((attr == MP_QSTR___get__ || attr == MP_QSTR___set__ || attr == MP_QSTR___delete__) && is_no_descriptor(obj)) {
        dest[0] = dest[1] = MP_OBJ_NULL;
        return;
    }
    mp_load_method_protected_default(obj, attr, dest, catch_all_exc);
}

void class_load_method_maybe(mp_obj_t obj, qstr attr, mp_obj_t *dest) {
    if (attr == MP_QSTR___set_name__ && is_no_descriptor(obj)) {
        dest[0] = dest[1] = MP_OBJ_NULL;
        return;
    }
    mp_load_method_maybe(obj, attr, dest);
}
