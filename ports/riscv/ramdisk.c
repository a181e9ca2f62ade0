// SPDX-License-Identifier: MIT
//
// The RAM disk: the root directory of a board without a disk, a FAT file system. It lies outside
// the Python heap, so a soft reset leaves it, and a machine reset too; the end of QEMU does not.
//
// Most programs never use it. So what is mounted at first only stands in for the file system,
// which is made when somebody asks for more than whether a file is there.

#include <string.h>

#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "extmod/vfs_fat.h"
#include "ramdisk.h"

#define SECTOR  (512)
#define SHARE   (32) // one part in so many of RAM

static uint8_t *start;
static size_t sectors;

uintptr_t ramdisk_reserve(uintptr_t ram_start, uintptr_t ram_end) {
    sectors = (ram_end - ram_start) / SHARE / SECTOR;
    start = (uint8_t *)((ram_end - sectors * SECTOR) & ~(uintptr_t)15);
    return (uintptr_t)start;
}

bool ramdisk_used(void) {
    return start[0] != 0; // without a boot sector there are no files
}

// The block device, of which there is one.

// Where the buffer's bytes lie on the disk.
static uint8_t *place(const mp_obj_t *args, size_t n_args, size_t len) {
    size_t block = mp_obj_get_int(args[1]);
    size_t offset = n_args > 3 ? mp_obj_get_int(args[3]) : 0;
    size_t size = sectors * SECTOR;
    if (block > sectors || offset > size - block * SECTOR || len > size - block * SECTOR - offset) {
        mp_raise_OSError(MP_EIO);
    }
    return start + block * SECTOR + offset;
}

// readblocks(block, buf, offset=0)
static mp_obj_t ramdisk_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    memcpy(buf.buf, place(args, n_args, buf.len), buf.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ramdisk_readblocks_obj, 3, 4, ramdisk_readblocks);

// writeblocks(block, buf, offset=0)
static mp_obj_t ramdisk_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    memcpy(place(args, n_args, buf.len), buf.buf, buf.len);
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ramdisk_writeblocks_obj, 3, 4, ramdisk_writeblocks);

static mp_obj_t ramdisk_ioctl(mp_obj_t self, mp_obj_t command, mp_obj_t argument) {
    (void)self;
    (void)argument;
    switch (mp_obj_get_int(command)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(sectors);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(SECTOR);
    }
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_3(ramdisk_ioctl_obj, ramdisk_ioctl);

static const mp_rom_map_elem_t ramdisk_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&ramdisk_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&ramdisk_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&ramdisk_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(ramdisk_locals, ramdisk_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    ramdisk_type,
    MP_QSTR_RAMDisk,
    MP_TYPE_FLAG_NONE,
    locals_dict, &ramdisk_locals
    );

static const mp_obj_base_t device = { &ramdisk_type };

// What is mounted: the stand-in, and once it is needed the file system.

MP_REGISTER_ROOT_POINTER(mp_obj_t ramdisk_files); // the collector does not look into `root`
static mp_vfs_mount_t root;

// Returns the file system, made first if there is none.
static mp_obj_t files(void) {
    if (MP_STATE_VM(ramdisk_files) == MP_OBJ_NULL) {
        mp_obj_t disk = MP_OBJ_FROM_PTR(&device);
        mp_obj_t fat = mp_call_function_1(MP_OBJ_FROM_PTR(&mp_fat_vfs_type), disk);
        mp_obj_t mount[4];
        mp_load_method(fat, MP_QSTR_mount, mount);
        mount[2] = mp_const_false; // readonly
        mount[3] = mp_const_true; // mkfs
        mp_call_method_n_kw(2, 0, mount);
        MP_STATE_VM(ramdisk_files) = fat;
        root.obj = fat;
    }
    return MP_STATE_VM(ramdisk_files);
}

static mp_import_stat_t stand_in_import_stat(void *self, const char *path) {
    (void)self;
    if (!ramdisk_used()) {
        return MP_IMPORT_STAT_NO_EXIST;
    }
    const mp_vfs_proto_t *fat = MP_OBJ_TYPE_GET_SLOT(&mp_fat_vfs_type, protocol);
    return fat->import_stat(MP_OBJ_TO_PTR(files()), path);
}

static void stand_in_attr(mp_obj_t self, qstr attr, mp_obj_t *dest) {
    (void)self;
    if (dest[0] == MP_OBJ_NULL) {
        mp_load_method_maybe(files(), attr, dest);
    }
}

static const mp_vfs_proto_t stand_in_proto = {
    .import_stat = stand_in_import_stat,
};

static MP_DEFINE_CONST_OBJ_TYPE(
    stand_in_type,
    MP_QSTR_VfsFat,
    MP_TYPE_FLAG_NONE,
    attr, stand_in_attr,
    protocol, &stand_in_proto
    );

static const mp_obj_base_t stand_in = { &stand_in_type };

void ramdisk_mount(void) {
    MP_STATE_VM(ramdisk_files) = MP_OBJ_NULL;
    root.str = "/";
    root.len = 1;
    root.obj = MP_OBJ_FROM_PTR(&stand_in);
    root.next = NULL;
    mp_vfs_mount_t **last = &MP_STATE_VM(vfs_mount_table);
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = &root;
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
}
