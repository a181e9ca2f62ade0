// SPDX-License-Identifier: MIT
//
// Sums, products, shifts, masks and comparisons of small ints, which are most of what programs compute.
// MicroPython's own code (MICROPY_WRAP_MP_BINARY_OP) does everything else, and these too if the
// result is no small int; it saves and restores twelve registers before it looks.

#include "py/runtime.h"

mp_obj_t mp_binary_op_default(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs);

mp_obj_t mp_binary_op(mp_binary_op_t op, mp_obj_t lhs, mp_obj_t rhs) {
    mp_int_t a = (mp_int_t)lhs, b = (mp_int_t)rhs;
    if (a & b & 1) { // small ints: twice the value and 1
        mp_int_t result;
        switch (op) {
            case MP_BINARY_OP_LESS:
                return mp_obj_new_bool(a < b);
            case MP_BINARY_OP_MORE:
                return mp_obj_new_bool(a > b);
            case MP_BINARY_OP_LESS_EQUAL:
                return mp_obj_new_bool(a <= b);
            case MP_BINARY_OP_MORE_EQUAL:
                return mp_obj_new_bool(a >= b);
            case MP_BINARY_OP_EQUAL:
                return mp_obj_new_bool(a == b);
            case MP_BINARY_OP_NOT_EQUAL:
                return mp_obj_new_bool(a != b);
            case MP_BINARY_OP_OR:
            case MP_BINARY_OP_INPLACE_OR:
                return (mp_obj_t)(a | b);
            case MP_BINARY_OP_AND:
            case MP_BINARY_OP_INPLACE_AND:
                return (mp_obj_t)(a & b);
            case MP_BINARY_OP_ADD:
            case MP_BINARY_OP_INPLACE_ADD:
                if (!__builtin_add_overflow(a, b - 1, &result)) {
                    return (mp_obj_t)result;
                }
                break;
            case MP_BINARY_OP_SUBTRACT:
            case MP_BINARY_OP_INPLACE_SUBTRACT:
                if (!__builtin_sub_overflow(a, b - 1, &result)) {
                    return (mp_obj_t)result;
                }
                break;
            case MP_BINARY_OP_MULTIPLY:
            case MP_BINARY_OP_INPLACE_MULTIPLY:
                if (!__builtin_mul_overflow(a - 1, b >> 1, &result)) {
                    return (mp_obj_t)(result | 1);
                }
                break;
            case MP_BINARY_OP_RSHIFT:
            case MP_BINARY_OP_INPLACE_RSHIFT:
                b >>= 1;
                if (0 <= b && b < (mp_int_t)(8 * sizeof(a))) {
                    return (mp_obj_t)(a >> b | 1);
                }
                break;
            default:
                break;
        }
    }
    return mp_binary_op_default(op, lhs, rhs);
}
