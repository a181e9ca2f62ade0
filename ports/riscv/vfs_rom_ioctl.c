// SPDX-License-Identifier: MIT
//
// vfs.rom_ioctl(): one read-only segment, the flash window into which QEMU loads
// the image that `ROM=folder` makes.

#include "py/mperrno.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "board.h"

static MP_DEFINE_MEMORYVIEW_OBJ(segment, 'B', 0, ROM_SIZE, (void *)ROM_BASE);

mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    switch (mp_obj_get_int(args[0])) {
        case MP_VFS_ROM_IOCTL_GET_NUMBER_OF_SEGMENTS:
            return MP_OBJ_NEW_SMALL_INT(1);
        case MP_VFS_ROM_IOCTL_GET_SEGMENT:
            if (n_args == 2 && mp_obj_get_int(args[1]) == 0) {
                return MP_OBJ_FROM_PTR(&segment);
            }
            break;
    }
    return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
}
