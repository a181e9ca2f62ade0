// SPDX-License-Identifier: MIT
//
// The time that FatFs gives to files: the board's, in the fields of a directory entry.

#include "py/mphal.h"
#include "lib/oofatfs/ff.h"
#include "shared/timeutils/timeutils.h"

DWORD get_fattime(void) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_epoch_to_struct_time(mp_hal_time_ns() / 1000000000, &t);
    if (t.tm_year < 1980) {
        return 1 << 21 | 1 << 16; // the first day that FAT knows
    }
    return (DWORD)(t.tm_year - 1980) << 25 | t.tm_mon << 21 | t.tm_mday << 16
           | t.tm_hour << 11 | t.tm_min << 5 | t.tm_sec / 2;
}
