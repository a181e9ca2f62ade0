// SPDX-License-Identifier: MIT

#include "py/cstack.h"
#include "py/gc.h"
#include "py/pystack.h"
#include "py/runtime.h"
#include "isr.h"

// What was interrupted may be anywhere, also in the middle of growing one of its stacks. So
// a handler has stacks of its own: the trap stack, and one for Python frames.
extern uint8_t __trap_stack_bottom, __trap_stack_top, __trap_pystack_start, __trap_pystack_end;

bool isr_call(const char *message, unsigned number, mp_obj_t function, size_t n_args, const mp_obj_t *args) {
    mp_state_thread_t *thread = &mp_state_ctx.thread;
    char *stack_top = thread->stack_top;
    size_t stack_limit = thread->stack_limit;
    uint8_t *start = thread->pystack_start, *end = thread->pystack_end, *cur = thread->pystack_cur;
    mp_cstack_init_with_top(&__trap_stack_top, &__trap_stack_top - &__trap_stack_bottom);
    mp_pystack_init(&__trap_pystack_start, &__trap_pystack_end);
    mp_sched_lock();
    gc_lock();

    nlr_buf_t nlr;
    bool well = nlr_push(&nlr) == 0;
    if (well) {
        mp_call_function_n_kw(function, n_args, 0, args);
        nlr_pop();
    } else {
        mp_printf(&mp_plat_print, message, number);
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }

    gc_unlock();
    mp_sched_unlock();
    thread->stack_top = stack_top;
    thread->stack_limit = stack_limit;
    thread->pystack_start = start;
    thread->pystack_end = end;
    thread->pystack_cur = cur;
    return well;
}
