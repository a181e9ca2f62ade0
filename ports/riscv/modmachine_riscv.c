// SPDX-License-Identifier: MIT
//
// Included by extmod/modmachine.c: the board's part of module machine.

#include "py/mphal.h"
#include "py/objint.h"
#include "board.h"
#include "finisher.h"
#include "machine_rtc.h"
#include "machine_timer.h"
#include "main.h"

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_RTC), MP_ROM_PTR(&machine_rtc_type) }, \
    { MP_ROM_QSTR(MP_QSTR_Timer), MP_ROM_PTR(&machine_timer_type) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(PWRON_RESET) }, \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(HARD_RESET) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT_RESET), MP_ROM_INT(WDT_RESET) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP_RESET), MP_ROM_INT(DEEPSLEEP_RESET) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(SOFT_RESET) },

static void mp_machine_idle(void) {
    mp_event_handle_nowait();
    clint_wait(clint_time() + TIME_HZ / 1000);
}

uintptr_t machine_mem_address(mp_obj_t address_in, uint align) {
    uintptr_t address = mp_obj_is_small_int(address_in) ? (uintptr_t)MP_OBJ_SMALL_INT_VALUE(address_in)
        : mp_obj_is_int(address_in) ? mp_obj_int_get_uint_checked(address_in)
        : (uintptr_t)mp_obj_get_int(address_in);
    if ((address & (align - 1)) != 0) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("address 0x%p is not a multiple of %u"),
            (void *)address, align);
    }
    return address;
}

static void mp_machine_reset(void) {
    if (!in_interrupt()) { // where Python cannot do much; the reset itself stops every device
        main_deinit();
    }
    finisher_reset();
}

static mp_int_t mp_machine_reset_cause(void) {
    return main_reset_cause;
}

static mp_obj_t mp_machine_unique_id(void) {
    // What QEMU was given with -uuid, else zeros: nothing else tells one board from another.
    uint8_t id[16];
    *(volatile uint16_t *)(FW_CFG_BASE + 8) = __builtin_bswap16(FW_CFG_UUID);
    for (size_t i = 0; i < sizeof(id); ++i) {
        id[i] = *(volatile uint8_t *)FW_CFG_BASE;
    }
    return mp_obj_new_bytes(id, sizeof(id));
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
        mp_int_t ms = mp_obj_get_int(args[0]);
        if (ms > 0) {
            mp_hal_delay_ms(ms);
        }
    }
}

static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    mp_machine_lightsleep(n_args, args);
    main_next_cause(DEEPSLEEP_RESET);
    mp_machine_reset();
}
