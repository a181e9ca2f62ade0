// SPDX-License-Identifier: MIT
//
// Module virt, its interrupts: virt.irq(), and what the PLIC's sources set off.

#include <string.h>

#include "py/runtime.h"
#include "isr.h"
#include "modvirt.h"
#include "plic.h"

#define REMOVED "interrupt %u: handler removed after\n"

// Sources that were claimed and whose Python handler is due: set in interrupt
// context, taken by irq_dispatch().
static volatile uint32_t pending[PLIC_SOURCES / 32];
static mp_sched_node_t irq_node;
volatile bool virt_irq_handled;

// How a source's device is acknowledged, if virt.irq() was told.
static struct {
    volatile uint32_t *status, *ack;
    uint32_t mask, wanted;
    volatile uint16_t *watch; // may be NULL
    uint16_t seen; // what stood there last
    uint32_t bits; // acknowledged since the Python handler ran last
    bool hard; // the Python handler runs in interrupt context
} level[PLIC_SOURCES];

MP_REGISTER_ROOT_POINTER(mp_obj_t virt_irq_handler[PLIC_SOURCES]);
static mp_obj_t *handler_of(unsigned source) {
    return &MP_STATE_VM(virt_irq_handler)[source];
}

static void irq_remove(unsigned source) {
    plic_disable(source);
    *handler_of(source) = MP_OBJ_NULL;
    level[source].status = NULL;
    level[source].watch = NULL;
    level[source].bits = 0;
}

// A handler that raises is removed: its device has not been quieted and would
// interrupt for ever.
static void irq_call(unsigned source) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t number = MP_OBJ_NEW_SMALL_INT(source);
        if (level[source].status == NULL) {
            mp_call_function_1(*handler_of(source), number);
        } else {
            uintptr_t state = irq_disable();
            uint32_t bits = level[source].bits;
            level[source].bits = 0;
            irq_restore(state);
            mp_call_function_2(*handler_of(source), number, mp_obj_new_int_from_uint(bits));
        }
        nlr_pop();
    } else {
        mp_printf(&mp_plat_print, REMOVED, source);
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
        irq_remove(source);
    }
}

// Runs the due handlers, then completes their sources.
static void irq_dispatch(mp_sched_node_t *node) {
    (void)node;
    for (unsigned word = 0; word < PLIC_SOURCES / 32; ++word) {
        uintptr_t state = irq_disable();
        uint32_t due = pending[word];
        pending[word] = 0;
        irq_restore(state);
        for (; due != 0; due &= due - 1) {
            unsigned source = word * 32 + __builtin_ctz(due);
            if (*handler_of(source) != MP_OBJ_NULL) {
                irq_call(source);
            }
            plic_complete(source);
            virt_irq_handled = true;
        }
    }
}

static void call_hard(unsigned source) {
    bool bits = level[source].status != NULL;
    mp_obj_t args[] = { MP_OBJ_NEW_SMALL_INT(source), MP_OBJ_NEW_SMALL_INT(level[source].bits) };
    level[source].bits = 0;
    if (!isr_call(REMOVED, source, *handler_of(source), bits ? 2 : 1, args)) {
        irq_remove(source);
    }
    virt_irq_handled = true;
}

void virt_irq(unsigned source) {
    bool wanted = *handler_of(source) != MP_OBJ_NULL;
    if (!wanted) {
        plic_disable(source); // nobody will ever quiet it
    } else if (level[source].status != NULL) {
        uint32_t bits = *level[source].status & level[source].mask;
        *level[source].ack = bits;
        virt_irq_handled = true;
        level[source].bits |= bits;
        wanted = bits & level[source].wanted;
        if (level[source].watch != NULL && *level[source].watch != level[source].seen) {
            level[source].seen = *level[source].watch;
            wanted = true;
        }
        if (bits == 0 && *level[source].status != 0) {
            plic_disable(source); // it signals what nobody can acknowledge
        }
    }
    if (wanted && level[source].hard) {
        call_hard(source);
        plic_complete(source);
    } else if (wanted) {
        pending[source / 32] |= 1u << source % 32;
        mp_sched_schedule_node(&irq_node, irq_dispatch);
    } else {
        plic_complete(source);
    }
}

bool virt_irq_run(void) {
    bool any = false;
    for (unsigned word = 0; word < PLIC_SOURCES / 32; ++word) {
        any |= pending[word] != 0;
    }
    irq_dispatch(NULL);
    return any;
}

void virt_irq_init(void) {
    memset(MP_STATE_VM(virt_irq_handler), 0, sizeof(MP_STATE_VM(virt_irq_handler)));
    virt_irq_handled = false;
}

void virt_irq_deinit(void) {
    for (unsigned source = 1; source < PLIC_SOURCES; ++source) {
        if (*handler_of(source) != MP_OBJ_NULL) {
            irq_remove(source);
        }
    }
    // What was claimed meanwhile must not stay claimed.
    mp_handle_pending(false);
}

// irq(source, handler, hard=False): handler(source) runs soon after the PLIC source fires, as
// a scheduled function; it must quiet its device. None removes the handler. A hard one
// runs in the interrupt, with the heap and the scheduler locked.
//
// irq(source, handler, status, ack, mask, wanted, watch, hard=False): the interrupt handler
// itself quiets the device, by writing the bits that stand at `status` and in `mask`
// to `ack` (addresses of 32-bit registers). handler(source, bits) runs only if a
// bit of `wanted` was among them, or the 16-bit word at address `watch` (0: none)
// is another than before. A sleeper in wait() is woken in any case.
static mp_obj_t virt_irq_set(size_t n_args, const mp_obj_t *args, mp_map_t *kw_args) {
    mp_map_elem_t *hard = mp_map_lookup(kw_args, MP_OBJ_NEW_QSTR(MP_QSTR_hard), MP_MAP_LOOKUP);
    if (kw_args->used != (hard != NULL)) {
        mp_raise_TypeError(MP_ERROR_TEXT("irq: the only keyword is hard"));
    }
    mp_int_t source = mp_obj_get_int(args[0]);
    if (source < 1 || source >= PLIC_SOURCES || source == UART0_IRQ) {
        mp_raise_ValueError(MP_ERROR_TEXT("irq: source must be 1..95 and not the console's 10"));
    }
    if (args[1] == mp_const_none) {
        irq_remove(source);
        return mp_const_none;
    }
    if (!mp_obj_is_callable(args[1]) || (n_args != 2 && n_args != 7)) {
        mp_raise_TypeError(MP_ERROR_TEXT("irq: needs a callable or None, and 2 or 7 arguments"));
    }
    bool is_hard = hard != NULL && mp_obj_is_true(hard->value);
    // What is wrong with an argument is found before anything is changed.
    volatile uint32_t *status = NULL, *ack = NULL;
    volatile uint16_t *watch = NULL;
    uint32_t mask = 0, wanted = 0;
    if (n_args == 7) {
        status = virt_pointer(args[2], 4);
        ack = virt_pointer(args[3], 4);
        mask = mp_obj_get_int_truncated(args[4]);
        wanted = mp_obj_get_int_truncated(args[5]);
        watch = virt_pointer(args[6], 2);
        if (status == NULL || ack == NULL) {
            mp_raise_ValueError(MP_ERROR_TEXT("irq: status and ack must be addresses of registers"));
        }
    }
    plic_disable(source);
    level[source].status = status;
    if (n_args == 7) {
        level[source].ack = ack;
        level[source].mask = mask;
        level[source].wanted = wanted;
        // What came before, and nobody has been told of yet, is the new handler's.
        if (watch != NULL && watch != level[source].watch) {
            level[source].seen = *watch;
        }
        level[source].watch = watch;
    }
    level[source].hard = is_hard;
    *handler_of(source) = args[1];
    plic_enable(source);
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_KW(virt_irq_obj, 2, virt_irq_set);
