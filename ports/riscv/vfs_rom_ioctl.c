// SPDX-License-Identifier: MIT
//
// vfs.rom_ioctl(): one read-only segment, the flash window into which QEMU loads
// the image that `ROM=folder` makes.

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "board.h"
#include "romfs.h"

static MP_DEFINE_MEMORYVIEW_OBJ(segment, 'B', 0, ROM_SIZE, (void *)ROM_BASE);

// VfsRom believes what an image says, so one that would lead it elsewhere is not shown to it.
static bool readable(void) {
    const uint8_t *flash = (const uint8_t *)ROM_BASE;
    bool blank = (flash[0] | flash[1] | flash[2] | flash[3]) == 0;
    if (blank || romfs_is_whole(flash, ROM_SIZE)) {
        return true;
    }
    mp_printf(&mp_plat_print, "no /rom: what is in flash is no ROMFS image, or a damaged one\n");
    return false;
}

mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    switch (mp_obj_get_int(args[0])) {
        case MP_VFS_ROM_IOCTL_GET_NUMBER_OF_SEGMENTS:
            return MP_OBJ_NEW_SMALL_INT(1);
        case MP_VFS_ROM_IOCTL_GET_SEGMENT:
            if (n_args == 2 && mp_obj_get_int(args[1]) == 0 && readable()) {
                return MP_OBJ_FROM_PTR(&segment);
            }
            break;
    }
    return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
}
