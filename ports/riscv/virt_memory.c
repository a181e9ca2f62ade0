// SPDX-License-Identifier: MIT
//
// Module virt, its memory: blocks of bytes, and words that a device reads or writes meanwhile.

#include <string.h>

#include "py/objint.h"
#include "py/runtime.h"
#include "modvirt.h"

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
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_copy_obj, 5, 5, virt_copy);

// fill(buf, at, n, value): n bytes of the buffer become value.
static mp_obj_t virt_fill(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    size_t n = get_int(args[2]);
    memset(within(args[0], args[1], n, MP_BUFFER_WRITE), mp_obj_get_int(args[3]), n);
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_fill_obj, 4, 4, virt_fill);

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
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_equal_obj, 5, 9, virt_equal);

// RAM lies where 32 bits have no small int, nor a positive mp_int_t.
uintptr_t virt_large_address(mp_obj_t value) {
    return mp_obj_is_exact_type(value, &mp_type_int) ? mp_obj_int_get_uint_checked(value)
           : (uintptr_t)mp_obj_get_int(value);
}

void virt_misaligned(uintptr_t address, unsigned size) {
    mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("address 0x%p is not a multiple of %u"),
        (void *)address, size);
}

// Ring indexes and entries that a device reads or writes at the same time:
// machine.mem16 and mem32 with the order that the virtqueue needs.

// virt_pointer() with an offset in bytes, if the arguments have one. On 32 bits a sum of the two would
// be a new object.
static inline void *pointer_in(size_t n_args, const mp_obj_t *args, size_t offset, size_t size) {
    return virt_aligned(virt_address(args[0]) + (n_args > offset ? get_int(args[offset]) : 0), size);
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
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_load16_obj, 1, 2, virt_load16);

// load32(address, offset=0) -> int: unsigned, which machine.mem32 is not on 32 bits.
static mp_obj_t virt_load32(size_t n_args, const mp_obj_t *args) {
    return mp_obj_new_int_from_uint(*(volatile uint32_t *)pointer_in(n_args, args, 1, 4));
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_load32_obj, 1, 2, virt_load32);

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
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_store16_obj, 2, 3, virt_store16);

// pass16(address, value, mark) -> bool: as store16(); return whether the word went past the one at
// address `mark`, read afterwards: whether that is the old value, or one of those up to the new one.
static mp_obj_t virt_pass16(mp_obj_t address, mp_obj_t value, mp_obj_t mark) {
    volatile uint16_t *p = virt_pointer(address, 2), *other = virt_pointer(mark, 2);
    uint16_t old = *p, now = mp_obj_get_int_truncated(value);
    __asm volatile ("fence iorw, ow" ::: "memory");
    *p = now;
    __asm volatile ("fence iorw, iorw" ::: "memory");
    uint16_t passed = *other - old;
    return mp_obj_new_bool(passed < (uint16_t)(now - old));
}
MP_DEFINE_CONST_FUN_OBJ_3(virt_pass16_obj, virt_pass16);

// store64(address, word, ...): 64-bit words, one after the other.
static mp_obj_t virt_store64(size_t n_args, const mp_obj_t *args) {
    volatile uint64_t *p = virt_pointer(args[0], 8);
    for (size_t i = 1; i < n_args; ++i) {
        *p++ = word64(args[i]);
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR(virt_store64_obj, 2, virt_store64);

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
        *(volatile uint64_t *)virt_address(addresses[first + i]) = (uintptr_t)buf.buf + at;
    }
    return mp_const_none;
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(virt_store_addresses_obj, 6, 6, virt_store_addresses);
