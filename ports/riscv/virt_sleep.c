// SPDX-License-Identifier: MIT
//
// Module virt, its waits: sleep until an interrupt or a device's word, and the lock against
// scheduled functions.

#include "py/runtime.h"
#include "clint.h"
#include "modvirt.h"

#define MS_MAX (INT64_C(1) << 40) // 34 years: more would be none, as a sum of 64 bits

static uint64_t deadline_in(mp_obj_t ms_in) {
    int64_t ms = mp_obj_get_int(ms_in);
    return clint_time() + (ms < 0 ? 0 : ms > MS_MAX ? MS_MAX : ms) * (TIME_HZ / 1000);
}

// Runs what is due, also inside a scheduled function, where it would have to wait. Returns whether
// there was something.
static bool run_due(void) {
    bool ran = MP_STATE_VM(sched_state) == MP_SCHED_PENDING;
    mp_handle_pending(true);
    if (MP_STATE_VM(sched_state) < 0) {
        ran |= virt_irq_run();
    }
    return ran;
}

// wait(ms) -> bool: sleep until a source of irq() has fired and its handler, if it
// wants one, has run (True) or ms milliseconds have passed (False). It also returns
// True for one since the last wait, so who checks its condition first misses nothing.
static mp_obj_t virt_wait(mp_obj_t ms) {
    uint64_t deadline = deadline_in(ms);
    for (;;) {
        run_due();
        if (virt_irq_handled) {
            virt_irq_handled = false;
            return mp_const_true;
        }
        if (clint_time() >= deadline) {
            return mp_const_false;
        }
        clint_wait(deadline);
    }
}
MP_DEFINE_CONST_FUN_OBJ_1(virt_wait_obj, virt_wait);

// with lock: no scheduled function runs in there, and Ctrl-C waits. It nests.
static mp_obj_t lock_enter(mp_obj_t self) {
    mp_sched_lock();
    return self;
}
static MP_DEFINE_CONST_FUN_OBJ_1(lock_enter_obj, lock_enter);

static void must_be_locked(void) {
    if (MP_STATE_VM(sched_state) >= 0) {
        mp_raise_msg(&mp_type_RuntimeError, MP_ERROR_TEXT("not in a 'with virt.lock'"));
    }
}

static void unlock(void) {
    must_be_locked();
    mp_sched_unlock();
}

static mp_obj_t lock_exit(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    (void)args;
    unlock();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(lock_exit_obj, 4, 4, lock_exit);

static const mp_rom_map_elem_t lock_methods_table[] = {
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&lock_enter_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&lock_exit_obj) },
};
static MP_DEFINE_CONST_DICT(lock_methods, lock_methods_table);

static MP_DEFINE_CONST_OBJ_TYPE(lock_type, MP_QSTR_lock, MP_TYPE_FLAG_NONE, locals_dict, &lock_methods);
const mp_obj_base_t virt_lock_obj = { &lock_type };

// Returns whether something else ran meanwhile.
static bool sleep_while(volatile uint16_t *p, uint16_t old, mp_obj_t ms) {
    uint64_t deadline = deadline_in(ms);
    bool ran = run_due();
    while (*p == old && clint_time() < deadline) {
        clint_wait(deadline);
        ran |= run_due();
    }
    return ran;
}

// How far the word has come from `old`, looked at before all later accesses.
static mp_int_t moved(volatile uint16_t *p, uint16_t old) {
    uint16_t now = *p;
    __asm volatile ("fence ir, iorw" ::: "memory");
    return (uint16_t)(now - old);
}

// wait16(address, value, ms) -> int: sleep until the 16-bit word at `address` is not
// `value` (its low 16 bits) any more, or ms milliseconds have passed; return by how much it is more,
// modulo 65536. It is looked at first, and after every interrupt. Only in a `with lock`, which
// is left meanwhile: what is due runs here. If something did, 65536 is added to the result:
// what the lock guards may be different now.
static mp_obj_t virt_wait16(mp_obj_t address, mp_obj_t value, mp_obj_t ms) {
    volatile uint16_t *p = virt_pointer(address, 2);
    uint16_t old = mp_obj_get_int_truncated(value);
    bool ran = false;
    unlock();
    if (*p == old || MP_STATE_VM(sched_state) == MP_SCHED_PENDING) {
        nlr_buf_t nlr;
        if (nlr_push(&nlr) != 0) {
            mp_sched_lock();
            nlr_jump(nlr.ret_val);
        }
        ran = sleep_while(p, old, ms);
        nlr_pop();
    }
    mp_sched_lock();
    return MP_OBJ_NEW_SMALL_INT(moved(p, old) + (ran ? 0x10000 : 0));
}
MP_DEFINE_CONST_FUN_OBJ_3(virt_wait16_obj, virt_wait16);

// sleep16(address, value, ms) -> int: as wait16(), but the lock is kept: nothing else runs meanwhile,
// and Ctrl-C waits. For what must not be left half done.
static mp_obj_t virt_sleep16(mp_obj_t address, mp_obj_t value, mp_obj_t ms) {
    volatile uint16_t *p = virt_pointer(address, 2);
    uint16_t old = mp_obj_get_int_truncated(value);
    uint64_t deadline = deadline_in(ms);
    must_be_locked();
    while (*p == old && clint_time() < deadline) {
        clint_wait(deadline);
    }
    return MP_OBJ_NEW_SMALL_INT(moved(p, old));
}
MP_DEFINE_CONST_FUN_OBJ_3(virt_sleep16_obj, virt_sleep16);
