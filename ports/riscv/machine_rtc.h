// SPDX-License-Identifier: MIT
#ifndef VSND_RISCV_MACHINE_RTC_H
#define VSND_RISCV_MACHINE_RTC_H

#include "py/obj.h"

extern const mp_obj_type_t machine_rtc_type;

#endif
