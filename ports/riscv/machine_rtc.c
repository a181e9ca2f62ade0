// SPDX-License-Identifier: MIT
//
// Class machine.RTC: the board's goldfish RTC, which module time reads too. It counts
// nanoseconds since 1970 in UTC.

#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/timeutils/timeutils.h"
#include "board.h"
#include "machine_rtc.h"

#define TIME_LOW (*(volatile uint32_t *)(RTC_BASE + 0))
#define TIME_HIGH (*(volatile uint32_t *)(RTC_BASE + 4))

static const mp_obj_base_t rtc = { &machine_rtc_type };

static mp_obj_t make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    (void)args;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&rtc);
}

static mp_obj_t get(void) {
    uint64_t ns = mp_hal_time_ns();
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(ns / 1000000000, &tm);
    mp_obj_t tuple[8] = {
        MP_OBJ_NEW_SMALL_INT(tm.tm_year),
        MP_OBJ_NEW_SMALL_INT(tm.tm_mon),
        MP_OBJ_NEW_SMALL_INT(tm.tm_mday),
        MP_OBJ_NEW_SMALL_INT(tm.tm_wday),
        MP_OBJ_NEW_SMALL_INT(tm.tm_hour),
        MP_OBJ_NEW_SMALL_INT(tm.tm_min),
        MP_OBJ_NEW_SMALL_INT(tm.tm_sec),
        MP_OBJ_NEW_SMALL_INT(ns / 1000 % 1000000),
    };
    return mp_obj_new_tuple(8, tuple);
}

static mp_int_t field(mp_obj_t value_in, mp_int_t least, mp_int_t most, const char *name) {
    mp_int_t value = mp_obj_get_int(value_in);
    if (value < least || value > most) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("RTC: %s must be %d..%d"), name, (int)least, (int)most);
    }
    return value;
}

// datetime([(year, month, day, weekday, hours, minutes, seconds, microseconds)]): the weekday
// (0 is Monday) follows from the date and is not looked at.
static mp_obj_t datetime(size_t n_args, const mp_obj_t *args) {
    if (n_args == 1) {
        return get();
    }
    mp_obj_t *items;
    mp_obj_get_array_fixed_n(args[1], 8, &items);
    mp_int_t year = field(items[0], 1970, 2099, "year");
    mp_int_t month = field(items[1], 1, 12, "month");
    mp_int_t day = field(items[2], 1, timeutils_days_in_month(year, month), "day");
    mp_int_t hour = field(items[4], 0, 23, "hours");
    mp_int_t minute = field(items[5], 0, 59, "minutes");
    mp_int_t second = field(items[6], 0, 59, "seconds");
    mp_int_t us = field(items[7], 0, 999999, "microseconds");
    uint64_t ns = (uint64_t)timeutils_seconds_since_epoch(year, month, day, hour, minute, second) * 1000000000
        + us * UINT64_C(1000);
    // The clock goes on between the stores: without the first, it might carry between the others.
    TIME_LOW = 0;
    TIME_HIGH = ns >> 32;
    TIME_LOW = ns;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(datetime_obj, 1, 2, datetime);

static const mp_rom_map_elem_t locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_datetime), MP_ROM_PTR(&datetime_obj) },
};
static MP_DEFINE_CONST_DICT(locals_dict, locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_rtc_type,
    MP_QSTR_RTC,
    MP_TYPE_FLAG_NONE,
    make_new, make_new,
    locals_dict, &locals_dict
    );
