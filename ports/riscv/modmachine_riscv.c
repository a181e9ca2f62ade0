// SPDX-License-Identifier: MIT
//
// Included by extmod/modmachine.c: the board's part of module machine.

#include "py/mphal.h"
#include "finisher.h"
#include "main.h"
#include "modvirt.h"

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_Timer), MP_ROM_PTR(&machine_timer_type) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(PWRON_RESET) }, \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(HARD_RESET) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(SOFT_RESET) },

static void mp_machine_idle(void) {
    mp_event_handle_nowait();
    clint_wait(clint_time() + TIME_HZ / 1000);
}

static void mp_machine_reset(void) {
    modvirt_deinit();
    finisher_reset();
}

static mp_int_t mp_machine_reset_cause(void) {
    return main_reset_cause;
}

static mp_obj_t mp_machine_unique_id(void) {
    // A machine that exists only as a process has nothing unique: its vendor,
    // architecture and implementation CSRs say at least what it is.
    uintptr_t id[3];
    __asm volatile ("csrr %0, mvendorid" : "=r" (id[0]));
    __asm volatile ("csrr %0, marchid" : "=r" (id[1]));
    __asm volatile ("csrr %0, mimpid" : "=r" (id[2]));
    return mp_obj_new_bytes((const byte *)id, sizeof(id));
}

static mp_obj_t mp_machine_get_freq(void) {
    // The only clock there is: the timebase.
    return MP_OBJ_NEW_SMALL_INT(TIME_HZ);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    (void)args;
    mp_raise_ValueError(MP_ERROR_TEXT("freq: the clock of a virtual machine cannot be set"));
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    if (n_args == 0) {
        mp_event_wait_indefinite();
    } else {
        mp_hal_delay_ms(mp_obj_get_int(args[0]));
    }
}

static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    mp_machine_lightsleep(n_args, args);
    mp_machine_reset();
}
