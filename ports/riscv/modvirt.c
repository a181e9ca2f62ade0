// SPDX-License-Identifier: MIT
//
// Module virt: the machine's parts that Python drivers need and that no standard module
// offers. It knows nothing of virtio or sound. Its table and small functions; the others are in
// virt_irq.c, virt_memory.c and virt_sleep.c.

#include <string.h>

#include "py/gc.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "finisher.h"
#include "main.h"
#include "modvirt.h"

extern uint8_t __arena_start, __arena_end;

MP_REGISTER_ROOT_POINTER(mp_obj_t virt_at_reset);

void modvirt_init(void) {
    MP_STATE_VM(virt_at_reset) = mp_const_none;
    virt_irq_init();
}

void modvirt_deinit(void) {
    mp_obj_t function = MP_STATE_VM(virt_at_reset);
    MP_STATE_VM(virt_at_reset) = mp_const_none;
    if (function != mp_const_none) {
        // Whatever the program held is garbage by now: make room for the function.
        mp_obj_dict_init(&MP_STATE_VM(dict_main), 1);
        gc_collect();
        nlr_buf_t nlr;
        if (nlr_push(&nlr) == 0) {
            mp_call_function_0(function);
            nlr_pop();
        } else {
            mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        }
    }
    virt_irq_deinit();
}

// arena() -> bytearray: the memory that devices may access. It lies outside the
// heap, at a fixed address that is also its physical address.
static mp_obj_t virt_arena(void) {
    return mp_obj_new_bytearray_by_ref(&__arena_end - &__arena_start, &__arena_start);
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_arena_obj, virt_arena);

// nbytes(buf) -> int: length in bytes, whatever the item size.
static mp_obj_t virt_nbytes(mp_obj_t buf_in) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(buf_in, &buf, MP_BUFFER_READ);
    return MP_OBJ_NEW_SMALL_INT(buf.len);
}
static MP_DEFINE_CONST_FUN_OBJ_1(virt_nbytes_obj, virt_nbytes);

// at_reset(function): called without arguments before a soft or machine reset, to
// quiet what Python has set in motion. None: nothing to do.
static mp_obj_t virt_at_reset(mp_obj_t function) {
    if (function != mp_const_none && !mp_obj_is_callable(function)) {
        mp_raise_TypeError(MP_ERROR_TEXT("at_reset: needs a callable or None"));
    }
    MP_STATE_VM(virt_at_reset) = function;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(virt_at_reset_obj, virt_at_reset);

// bootargs() -> str: what QEMU was given with -append.
static mp_obj_t virt_bootargs(void) {
    return mp_obj_new_str(main_bootargs, strlen(main_bootargs));
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_bootargs_obj, virt_bootargs);

// exit(status=0): QEMU ends with status, 0..255.
static mp_obj_t virt_exit(size_t n_args, const mp_obj_t *args) {
    mp_int_t status = n_args == 0 ? 0 : mp_obj_get_int(args[0]);
    if (status < 0 || status > 255) {
        mp_raise_ValueError(MP_ERROR_TEXT("exit: status must be 0..255"));
    }
    finisher_exit(status);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_exit_obj, 0, 1, virt_exit);

static const mp_rom_map_elem_t virt_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_virt) },
    { MP_ROM_QSTR(MP_QSTR_arena), MP_ROM_PTR(&virt_arena_obj) },
    { MP_ROM_QSTR(MP_QSTR_at_reset), MP_ROM_PTR(&virt_at_reset_obj) },
    { MP_ROM_QSTR(MP_QSTR_bootargs), MP_ROM_PTR(&virt_bootargs_obj) },
    { MP_ROM_QSTR(MP_QSTR_copy), MP_ROM_PTR(&virt_copy_obj) },
    { MP_ROM_QSTR(MP_QSTR_equal), MP_ROM_PTR(&virt_equal_obj) },
    { MP_ROM_QSTR(MP_QSTR_exit), MP_ROM_PTR(&virt_exit_obj) },
    { MP_ROM_QSTR(MP_QSTR_fill), MP_ROM_PTR(&virt_fill_obj) },
    { MP_ROM_QSTR(MP_QSTR_irq), MP_ROM_PTR(&virt_irq_obj) },
    { MP_ROM_QSTR(MP_QSTR_load16), MP_ROM_PTR(&virt_load16_obj) },
    { MP_ROM_QSTR(MP_QSTR_load32), MP_ROM_PTR(&virt_load32_obj) },
    { MP_ROM_QSTR(MP_QSTR_lock), MP_ROM_PTR(&virt_lock_obj) },
    { MP_ROM_QSTR(MP_QSTR_nbytes), MP_ROM_PTR(&virt_nbytes_obj) },
    { MP_ROM_QSTR(MP_QSTR_pass16), MP_ROM_PTR(&virt_pass16_obj) },
    { MP_ROM_QSTR(MP_QSTR_sleep16), MP_ROM_PTR(&virt_sleep16_obj) },
    { MP_ROM_QSTR(MP_QSTR_store16), MP_ROM_PTR(&virt_store16_obj) },
    { MP_ROM_QSTR(MP_QSTR_store64), MP_ROM_PTR(&virt_store64_obj) },
    { MP_ROM_QSTR(MP_QSTR_store_addresses), MP_ROM_PTR(&virt_store_addresses_obj) },
    { MP_ROM_QSTR(MP_QSTR_wait), MP_ROM_PTR(&virt_wait_obj) },
    { MP_ROM_QSTR(MP_QSTR_wait16), MP_ROM_PTR(&virt_wait16_obj) },
    { MP_ROM_QSTR(MP_QSTR_VIRTIO_BASE), MP_ROM_INT(VIRTIO_BASE) },
    { MP_ROM_QSTR(MP_QSTR_VIRTIO_STRIDE), MP_ROM_INT(VIRTIO_STRIDE) },
    { MP_ROM_QSTR(MP_QSTR_VIRTIO_SLOTS), MP_ROM_INT(VIRTIO_SLOTS) },
    { MP_ROM_QSTR(MP_QSTR_VIRTIO_IRQ), MP_ROM_INT(VIRTIO_IRQ) },
};
static MP_DEFINE_CONST_DICT(virt_globals, virt_globals_table);

const mp_obj_module_t virt_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&virt_globals,
};
MP_REGISTER_MODULE(MP_QSTR_virt, virt_module);
