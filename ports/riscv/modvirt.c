// SPDX-License-Identifier: MIT
//
// Module virt: the machine's parts that Python drivers need and that no standard
// module offers. It knows nothing of virtio or sound.

#include <string.h>

#include "py/gc.h"
#include "py/objarray.h"
#include "py/objint.h"
#include "py/runtime.h"
#include "clint.h"
#include "finisher.h"
#include "isr.h"
#include "main.h"
#include "modvirt.h"
#include "plic.h"

#define REMOVED "interrupt %u: handler removed after\n"

extern uint8_t __arena_start, __arena_end;

// Sources that were claimed and whose Python handler is due: set in interrupt
// context, taken by irq_dispatch().
static volatile uint32_t pending[PLIC_SOURCES / 32];
static mp_sched_node_t irq_node;
static volatile bool handled; // a source was served since virt.wait() last looked

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
MP_REGISTER_ROOT_POINTER(mp_obj_t virt_at_reset);

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
            handled = true;
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
    handled = true;
}

void virt_irq(unsigned source) {
    bool wanted = *handler_of(source) != MP_OBJ_NULL;
    if (!wanted) {
        plic_disable(source); // nobody will ever quiet it
    } else if (level[source].status != NULL) {
        uint32_t bits = *level[source].status & level[source].mask;
        *level[source].ack = bits;
        handled = true;
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

void modvirt_init(void) {
    MP_STATE_VM(virt_at_reset) = mp_const_none;
    memset(MP_STATE_VM(virt_irq_handler), 0, sizeof(MP_STATE_VM(virt_irq_handler)));
    handled = false;
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
    for (unsigned source = 1; source < PLIC_SOURCES; ++source) {
        if (*handler_of(source) != MP_OBJ_NULL) {
            irq_remove(source);
        }
    }
    // What was claimed meanwhile must not stay claimed.
    mp_handle_pending(false);
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

// An int, nearly always a small one: no call for that.
static inline mp_int_t get_int(mp_obj_t value) {
    return mp_obj_is_small_int(value) ? MP_OBJ_SMALL_INT_VALUE(value) : mp_obj_get_int(value);
}

// Where n bytes at byte `at` of a buffer lie; ValueError unless all of them do.
static uint8_t *within(mp_obj_t buf_in, mp_obj_t at_in, size_t n, mp_uint_t flags) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(buf_in, &buf, flags);
    size_t at = get_int(at_in);
    if (n > buf.len || at > buf.len - n) {
        mp_raise_ValueError(MP_ERROR_TEXT("offset and length must lie within the buffer"));
    }
    return (uint8_t *)buf.buf + at;
}

// copy(to, to_at, from, from_at, n): n bytes between two buffers, offsets in
// bytes. Unlike slices it allocates nothing. The buffers must not overlap.
static mp_obj_t virt_copy(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = get_int(args[4]);
    memcpy(within(args[0], args[1], n, MP_BUFFER_WRITE), within(args[2], args[3], n, MP_BUFFER_READ), n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_copy_obj, 5, 5, virt_copy);

// fill(buf, at, n, value): n bytes of the buffer become value.
static mp_obj_t virt_fill(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = get_int(args[2]);
    memset(within(args[0], args[1], n, MP_BUFFER_WRITE), mp_obj_get_int(args[3]), n);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_fill_obj, 4, 4, virt_fill);

// equal(a, a_at, b, b_at, n) -> bool: whether n bytes are the same; as copy().
// equal(a, a_at, b, b_at, n, a_at, b, b_at, n): and others of the same buffer a.
static mp_obj_t virt_equal(size_t n_args, const mp_obj_t *args) {
    if (n_args != 5 && n_args != 9) {
        mp_raise_TypeError(MP_ERROR_TEXT("equal: needs 5 or 9 arguments"));
    }
    for (size_t i = 1; i < n_args; i += 4) {
        size_t n = get_int(args[i + 3]);
        const uint8_t *a = within(args[0], args[i], n, MP_BUFFER_READ);
        if (memcmp(a, within(args[i + 1], args[i + 2], n, MP_BUFFER_READ), n) != 0) {
            return mp_const_false;
        }
    }
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_equal_obj, 5, 9, virt_equal);

// Ring indexes and entries that a device reads or writes at the same time:
// machine.mem16 and mem32 with the order that the virtqueue needs.

// An int as an address. RAM lies where 32 bits have no small int, nor a positive mp_int_t.
static MP_NOINLINE uintptr_t large_address(mp_obj_t value) {
    return mp_obj_is_exact_type(value, &mp_type_int) ? mp_obj_int_get_uint_checked(value)
           : (uintptr_t)mp_obj_get_int(value);
}

static inline uintptr_t address_of(mp_obj_t value) {
    return mp_obj_is_small_int(value) ? (uintptr_t)MP_OBJ_SMALL_INT_VALUE(value) : large_address(value);
}

static MP_NOINLINE __attribute__((noreturn)) void misaligned(uintptr_t address, unsigned size) {
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("address 0x%p is not a multiple of %u"),
        (void *)address, size);
}

static inline void *aligned(uintptr_t address, size_t size) {
    if ((address & (size - 1)) != 0) {
        misaligned(address, size);
    }
    return (void *)address;
}

// What an int points to, a word of `size` bytes.
static inline void *pointer(mp_obj_t address, size_t size) {
    return aligned(address_of(address), size);
}

// The same with an offset in bytes, if the arguments have one. On 32 bits a sum of the two would be
// a new object.
static inline void *pointer_in(size_t n_args, const mp_obj_t *args, size_t offset, size_t size) {
    return aligned(address_of(args[0]) + (n_args > offset ? get_int(args[offset]) : 0), size);
}

// The low 64 bits of an int.
static inline uint64_t word64(mp_obj_t value) {
    uint64_t word = (int64_t)mp_obj_get_int_truncated(value);
    if (sizeof(mp_int_t) < sizeof(word) && !mp_obj_is_small_int(value) && mp_obj_is_int(value)) {
        mp_obj_int_to_bytes_impl(value, false, sizeof(word), (byte *)&word);
    }
    return word;
}

// load16(address, offset=0) -> int: the load comes before all later accesses.
static mp_obj_t virt_load16(size_t n_args, const mp_obj_t *args) {
    mp_int_t value = *(volatile uint16_t *)pointer_in(n_args, args, 1, 2);
    __asm volatile ("fence ir, iorw" ::: "memory");
    return MP_OBJ_NEW_SMALL_INT(value);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_load16_obj, 1, 2, virt_load16);

// load32(address, offset=0) -> int: unsigned, which machine.mem32 is not on 32 bits.
static mp_obj_t virt_load32(size_t n_args, const mp_obj_t *args) {
    return mp_obj_new_int_from_uint(*(volatile uint32_t *)pointer_in(n_args, args, 1, 4));
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_load32_obj, 1, 2, virt_load32);

// store16(address, value, offset=0) -> int: store the low 16 bits of value, after all
// earlier accesses and before all later ones; return what stood there.
static mp_obj_t virt_store16(size_t n_args, const mp_obj_t *args) {
    volatile uint16_t *p = pointer_in(n_args, args, 2, 2);
    uint16_t old = *p;
    __asm volatile ("fence iorw, ow" ::: "memory");
    *p = mp_obj_get_int_truncated(args[1]);
    __asm volatile ("fence iorw, iorw" ::: "memory");
    return MP_OBJ_NEW_SMALL_INT(old);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_store16_obj, 2, 3, virt_store16);

// pass16(address, value, mark) -> bool: as store16(); return whether the word went past the one at
// address `mark`, read afterwards: whether that is the old value, or one of those up to the new one.
static mp_obj_t virt_pass16(mp_obj_t address, mp_obj_t value, mp_obj_t mark) {
    volatile uint16_t *p = pointer(address, 2), *other = pointer(mark, 2);
    uint16_t old = *p, now = mp_obj_get_int_truncated(value);
    __asm volatile ("fence iorw, ow" ::: "memory");
    *p = now;
    __asm volatile ("fence iorw, iorw" ::: "memory");
    uint16_t passed = *other - old;
    return mp_obj_new_bool(passed < (uint16_t)(now - old));
}
static MP_DEFINE_CONST_FUN_OBJ_3(virt_pass16_obj, virt_pass16);

// store64(address, word, ...): 64-bit words, one after the other.
static mp_obj_t virt_store64(size_t n_args, const mp_obj_t *args) {
    volatile uint64_t *p = pointer(args[0], 8);
    for (size_t i = 1; i < n_args; ++i) {
        *p++ = word64(args[i]);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR(virt_store64_obj, 2, virt_store64);

// store_addresses(addresses, first, n, buf, at, step): of the 64-bit words whose addresses stand in a
// list, from item `first` on, n become the addresses of bytes at, at + step, ... of the buffer.
static mp_obj_t virt_store_addresses(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t len;
    mp_obj_t *addresses;
    mp_obj_get_array(args[0], &len, &addresses);
    size_t first = get_int(args[1]), n = get_int(args[2]), at = get_int(args[4]), step = get_int(args[5]);
    if (n > len || first > len - n) {
        mp_raise_ValueError(MP_ERROR_TEXT("first and n must lie within the addresses"));
    }
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[3], &buf, MP_BUFFER_READ);
    for (size_t i = 0; i < n; ++i, at += step) {
        if (at > buf.len) {
            mp_raise_ValueError(MP_ERROR_TEXT("offset and length must lie within the buffer"));
        }
        *(volatile uint64_t *)address_of(addresses[first + i]) = (uintptr_t)buf.buf + at;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_store_addresses_obj, 6, 6, virt_store_addresses);

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
        status = pointer(args[2], 4);
        ack = pointer(args[3], 4);
        mask = mp_obj_get_int_truncated(args[4]);
        wanted = mp_obj_get_int_truncated(args[5]);
        watch = pointer(args[6], 2);
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
static MP_DEFINE_CONST_FUN_OBJ_KW(virt_irq_obj, 2, virt_irq_set);

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
        for (unsigned word = 0; word < PLIC_SOURCES / 32; ++word) {
            ran |= pending[word] != 0;
        }
        irq_dispatch(NULL);
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
        if (handled) {
            handled = false;
            return mp_const_true;
        }
        if (clint_time() >= deadline) {
            return mp_const_false;
        }
        clint_wait(deadline);
    }
}
static MP_DEFINE_CONST_FUN_OBJ_1(virt_wait_obj, virt_wait);

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
static const mp_obj_base_t virt_lock_obj = { &lock_type };

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
    volatile uint16_t *p = pointer(address, 2);
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
static MP_DEFINE_CONST_FUN_OBJ_3(virt_wait16_obj, virt_wait16);

// sleep16(address, value, ms) -> int: as wait16(), but the lock is kept: nothing else runs meanwhile,
// and Ctrl-C waits. For what must not be left half done.
static mp_obj_t virt_sleep16(mp_obj_t address, mp_obj_t value, mp_obj_t ms) {
    volatile uint16_t *p = pointer(address, 2);
    uint16_t old = mp_obj_get_int_truncated(value);
    uint64_t deadline = deadline_in(ms);
    must_be_locked();
    while (*p == old && clint_time() < deadline) {
        clint_wait(deadline);
    }
    return MP_OBJ_NEW_SMALL_INT(moved(p, old));
}
static MP_DEFINE_CONST_FUN_OBJ_3(virt_sleep16_obj, virt_sleep16);

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
