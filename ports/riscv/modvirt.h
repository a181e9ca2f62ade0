// SPDX-License-Identifier: MIT
//
// Module virt, whose files are modvirt.c and virt_*.c: what others call, and what those share.
#ifndef VSND_RISCV_MODVIRT_H
#define VSND_RISCV_MODVIRT_H

#include <stdbool.h>

#include "py/obj.h"

void modvirt_init(void);

// Before a soft or machine reset: runs the function that virt.at_reset() was
// given, then no interrupt source but the UART is left.
void modvirt_deinit(void);

// Interrupt context: `source` was claimed at the PLIC and is now Python's.
void virt_irq(unsigned source);

void virt_irq_init(void);
void virt_irq_deinit(void);

// Runs the handlers that are due. Returns whether there were any.
bool virt_irq_run(void);

// A source was served since virt.wait() last looked.
extern volatile bool virt_irq_handled;

// Addresses from Python: any int, small or large. Where one is wrong, ValueError.
MP_NOINLINE uintptr_t virt_large_address(mp_obj_t value);
MP_NOINLINE __attribute__((noreturn)) void virt_misaligned(uintptr_t address, unsigned size);

static inline uintptr_t virt_address(mp_obj_t value) {
    return mp_obj_is_small_int(value) ? (uintptr_t)MP_OBJ_SMALL_INT_VALUE(value) : virt_large_address(value);
}

static inline void *virt_aligned(uintptr_t address, size_t size) {
    if ((address & (size - 1)) != 0) {
        virt_misaligned(address, size);
    }
    return (void *)address;
}

// What an int points to, a word of `size` bytes.
static inline void *virt_pointer(mp_obj_t address, size_t size) {
    return virt_aligned(virt_address(address), size);
}

// For the module's table.
MP_DECLARE_CONST_FUN_OBJ_KW(virt_irq_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_copy_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_equal_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_fill_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_load16_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_load32_obj);
MP_DECLARE_CONST_FUN_OBJ_3(virt_pass16_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_store16_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR(virt_store64_obj);
MP_DECLARE_CONST_FUN_OBJ_VAR_BETWEEN(virt_store_addresses_obj);
MP_DECLARE_CONST_FUN_OBJ_1(virt_wait_obj);
MP_DECLARE_CONST_FUN_OBJ_3(virt_wait16_obj);
MP_DECLARE_CONST_FUN_OBJ_3(virt_sleep16_obj);
extern const mp_obj_base_t virt_lock_obj;

#endif
