// SPDX-License-Identifier: MIT
//
// Included by extmod/modos.c: the board's part of module os.

#include "random.h"

static mp_obj_t mp_os_urandom(mp_obj_t n_in) {
    mp_int_t n = mp_obj_get_int(n_in);
    if (n < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("urandom: the number of bytes must be 0 or more"));
    }
    vstr_t vstr;
    vstr_init_len(&vstr, n);
    random_bytes(vstr.buf, n);
    return mp_obj_new_bytes_from_vstr(&vstr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
