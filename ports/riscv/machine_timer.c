// SPDX-License-Identifier: MIT
//
// Class machine.Timer: as many as there is memory for, on the one comparator of the CLINT.
//
// Interrupts change the order in which timers are due, also in the middle of a collection. So
// the collector does not look at that, but at the list `machine_timers`, which only what is
// not an interrupt takes a timer from.

#include "py/pairheap.h"
#include "py/runtime.h"
#include "extmod/modmachine.h"
#include "clint.h"
#include "isr.h"
#include "machine_timer.h"

#define PERIOD_MIN (TIME_HZ / 10000)                // or nothing but timers would run
#define PERIOD_MAX ((uint64_t)TIME_HZ << 32)        // 136 years

enum { ONE_SHOT, PERIODIC };

typedef struct _machine_timer_obj_t {
    mp_pairheap_t node; // begins with the object's type
    struct _machine_timer_obj_t *next; // in machine_timers
    struct _machine_timer_obj_t *next_due;
    uint64_t deadline, period; // ticks of clint_time()
    mp_obj_t callback;
    uint8_t mode;
    bool hard;
    bool listed; // in machine_timers
    bool armed; // in `order`
    bool due; // its soft callback is to run
    bool queued; // from first_due on, perhaps not due any more
} machine_timer_obj_t;

MP_REGISTER_ROOT_POINTER(struct _machine_timer_obj_t *machine_timers);

static machine_timer_obj_t *order; // a heap, the next one on top
static machine_timer_obj_t *first_due, *last_due;
static mp_sched_node_t dispatch_node;

static int earlier(mp_pairheap_t *a, mp_pairheap_t *b) {
    return ((machine_timer_obj_t *)a)->deadline < ((machine_timer_obj_t *)b)->deadline;
}

// All of these: interrupts disabled.

static void arm(machine_timer_obj_t *self) {
    mp_pairheap_init_node(earlier, &self->node);
    order = (machine_timer_obj_t *)mp_pairheap_push(earlier, &order->node, &self->node);
    self->armed = true;
}

static void disarm(machine_timer_obj_t *self) {
    if (self->armed) {
        order = (machine_timer_obj_t *)mp_pairheap_delete(earlier, &order->node, &self->node);
        self->node.child = self->node.child_last = self->node.next = NULL; // see dispatch()
        self->armed = false;
    }
}

// From `now` on, but in step with what was before: periods that were missed are left out.
static void arm_next(machine_timer_obj_t *self, uint64_t now) {
    self->deadline += ((now - self->deadline) / self->period + 1) * self->period;
    arm(self);
}

static void set_alarm(void) {
    clint_set_alarm(order == NULL ? CLINT_FOREVER : order->deadline);
}

// Soft callbacks, in the order in which they became due. Then timers that are over are let go,
// without the links that would let one that the collector believes to be in use keep others.
static void dispatch(mp_sched_node_t *node) {
    (void)node;
    // What becomes due meanwhile waits, so that the program gets on and Ctrl-C is seen.
    machine_timer_obj_t *last = last_due, *self = NULL;
    while (first_due != NULL && self != last) {
        uintptr_t state = irq_disable();
        self = first_due;
        first_due = self->next_due;
        self->next_due = NULL;
        bool due = self->due;
        self->due = self->queued = false;
        irq_restore(state);
        if (due) {
            mp_call_function_1_protected(self->callback, MP_OBJ_FROM_PTR(self));
        }
    }
    uintptr_t state = irq_disable();
    machine_timer_obj_t **link = &MP_STATE_VM(machine_timers);
    while (*link != NULL) {
        self = *link;
        if (self->armed || self->queued) {
            link = &self->next;
        } else {
            self->listed = false;
            *link = self->next;
            self->next = NULL;
        }
    }
    irq_restore(state);
}

static void fire(machine_timer_obj_t *self, uint64_t now) {
    disarm(self);
    if (self->mode == PERIODIC) {
        arm_next(self, now);
    } else {
        mp_sched_schedule_node(&dispatch_node, dispatch);
    }
    if (self->hard) {
        mp_obj_t arg = MP_OBJ_FROM_PTR(self);
        if (!isr_call("timer stopped after\n", 0, self->callback, 1, &arg)) {
            disarm(self);
        } else if (self->armed && self->mode == PERIODIC) {
            now = clint_time();
            if (self->deadline <= now) { // the callback takes longer than the period
                disarm(self);
                arm_next(self, now);
            }
        }
        return;
    }
    self->due = true;
    if (!self->queued) {
        self->queued = true;
        self->next_due = NULL;
        if (first_due == NULL) {
            first_due = self;
        } else {
            last_due->next_due = self;
        }
        last_due = self;
        mp_sched_schedule_node(&dispatch_node, dispatch);
    }
}

void machine_timer_interrupt(void) {
    uint64_t now = clint_time();
    while (order != NULL && order->deadline <= now) {
        fire(order, now);
    }
    set_alarm();
}

void machine_timer_deinit(void) {
    uintptr_t state = irq_disable();
    order = first_due = NULL;
    MP_STATE_VM(machine_timers) = NULL;
    set_alarm();
    irq_restore(state);
}

static void stop(machine_timer_obj_t *self) {
    uintptr_t state = irq_disable();
    disarm(self);
    self->due = false;
    set_alarm();
    if (self->listed) {
        mp_sched_schedule_node(&dispatch_node, dispatch);
    }
    irq_restore(state);
}

static mp_obj_t init_helper(machine_timer_obj_t *self, size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_mode, ARG_callback, ARG_period, ARG_tick_hz, ARG_freq, ARG_hard };
    static const mp_arg_t allowed_args[] = {
        { MP_QSTR_mode,     MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = PERIODIC} },
        { MP_QSTR_callback, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL} },
        { MP_QSTR_period,   MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = -1} },
        { MP_QSTR_tick_hz,  MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 1000} },
        { MP_QSTR_freq,     MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_hard,     MP_ARG_KW_ONLY | MP_ARG_BOOL, {.u_bool = false} },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed_args)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed_args), allowed_args, args);

    // Everything is checked before the timer is another than it was.
    mp_int_t mode = args[ARG_mode].u_int;
    if (mode != ONE_SHOT && mode != PERIODIC) {
        mp_raise_ValueError(MP_ERROR_TEXT("Timer: mode must be Timer.ONE_SHOT or Timer.PERIODIC"));
    }
    mp_float_t period = self->period;
    if (args[ARG_freq].u_obj != mp_const_none) {
        period = TIME_HZ / mp_obj_get_float(args[ARG_freq].u_obj);
    } else if (args[ARG_period].u_int != -1) {
        period = (mp_float_t)args[ARG_period].u_int * TIME_HZ / args[ARG_tick_hz].u_int;
    }
    if (!(period >= PERIOD_MIN && period <= PERIOD_MAX)) { // nor not a number
        mp_raise_ValueError(MP_ERROR_TEXT("Timer: the period must be 0.1 ms to 2**32 s"));
    }
    mp_obj_t callback = args[ARG_callback].u_obj;
    if (callback == MP_OBJ_NULL) {
        callback = self->callback;
    } else if (callback != mp_const_none && !mp_obj_is_callable(callback)) {
        mp_raise_TypeError(MP_ERROR_TEXT("Timer: callback must be callable or None"));
    }

    stop(self);
    self->mode = mode;
    self->period = (uint64_t)(period + (mp_float_t)0.5);
    self->callback = callback;
    self->hard = args[ARG_hard].u_bool;
    if (callback != mp_const_none) {
        uintptr_t state = irq_disable();
        if (!self->listed) {
            self->listed = true;
            self->next = MP_STATE_VM(machine_timers);
            MP_STATE_VM(machine_timers) = self;
        }
        self->deadline = clint_time() + self->period;
        arm(self);
        set_alarm();
        irq_restore(state);
    }
    return mp_const_none;
}

static mp_obj_t make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    if (n_args > 0) {
        if (mp_obj_get_int(args[0]) != -1) {
            mp_raise_ValueError(MP_ERROR_TEXT("Timer: there are no numbers here: Timer() or Timer(-1)"));
        }
        --n_args;
        ++args;
    }
    machine_timer_obj_t *self = m_new0(machine_timer_obj_t, 1);
    self->node.base.type = type;
    self->mode = PERIODIC;
    self->period = TIME_HZ;
    self->callback = mp_const_none;
    if (n_args > 0 || n_kw > 0) {
        mp_map_t kw_args;
        mp_map_init_fixed_table(&kw_args, n_kw, args + n_args);
        init_helper(self, n_args, args, &kw_args);
    }
    return MP_OBJ_FROM_PTR(self);
}

static void print(const mp_print_t *out, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    machine_timer_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(out, "Timer(mode=%q, period=%g)", self->mode == ONE_SHOT ? MP_QSTR_ONE_SHOT : MP_QSTR_PERIODIC,
        (double)self->period / (TIME_HZ / 1000));
}

static mp_obj_t timer_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    return init_helper(MP_OBJ_TO_PTR(args[0]), n_args - 1, args + 1, kw_args);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(timer_init_obj, 1, timer_init);

static mp_obj_t timer_deinit(mp_obj_t self_in) {
    stop(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(timer_deinit_obj, timer_deinit);

static const mp_rom_map_elem_t locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&timer_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_deinit), MP_ROM_PTR(&timer_deinit_obj) },
    { MP_ROM_QSTR(MP_QSTR_ONE_SHOT), MP_ROM_INT(ONE_SHOT) },
    { MP_ROM_QSTR(MP_QSTR_PERIODIC), MP_ROM_INT(PERIODIC) },
};
static MP_DEFINE_CONST_DICT(locals_dict, locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_timer_type,
    MP_QSTR_Timer,
    MP_TYPE_FLAG_NONE,
    make_new, make_new,
    print, print,
    locals_dict, &locals_dict
    );
