// SPDX-License-Identifier: MIT
//
// The files that are frozen into the image, in place of py/frozenmod.c, which walks over the text
// of all their names for each question. Most questions are for what is not there: `import time`
// asks for a folder time, a time.py and a time.mpy. All of our files are compiled ones.

#include <string.h>

#include "py/emitglue.h"
#include "py/frozenmod.h"
#include "trap.h"

#define FILES_MAX (128)

// Made by mpy-tool.py: the names, each with a 0 at its end, and one more 0; and what is in them.
extern const char mp_frozen_names[];
extern const mp_frozen_module_t *const mp_frozen_mpy_content[];

static struct {
    uint16_t at, len;
} files[FILES_MAX]; // their names
static size_t count;
static uint64_t initials; // one bit for each letter, modulo 64, that one of them begins with

static uint64_t initial(const char *name) {
    return (uint64_t)1 << (name[0] & 63);
}

static void find_names(void) {
    for (const char *name = mp_frozen_names; *name != 0; ++count) {
        if (count == FILES_MAX) {
            crash("more frozen files than FILES_MAX in ports/riscv/frozen.c: raise it");
        }
        files[count].at = name - mp_frozen_names;
        files[count].len = strlen(name);
        initials |= initial(name);
        name += files[count].len + 1;
    }
}

// Whether `path` is a frozen file or folder. For a file also what is in it, if asked for that.
mp_import_stat_t mp_find_frozen_module(const char *path, int *frozen_type, void **data) {
    if (count == 0) {
        find_names();
    }
    if (frozen_type != NULL) {
        *frozen_type = MP_FROZEN_NONE;
    }
    size_t len = strlen(path);
    if (len == 0 || !(initials & initial(path))) {
        return MP_IMPORT_STAT_NO_EXIST;
    }
    const char last = path[len - 1];
    for (size_t i = 0; i < count; ++i) {
        const char *name = mp_frozen_names + files[i].at;
        if (files[i].len < len || name[len - 1] != last || memcmp(name, path, len) != 0) {
            continue;
        }
        if (files[i].len == len) {
            if (frozen_type != NULL) {
                *frozen_type = MP_FROZEN_MPY;
                *data = (void *)mp_frozen_mpy_content[i];
            }
            return MP_IMPORT_STAT_FILE;
        }
        if (name[len] == '/') {
            return MP_IMPORT_STAT_DIR;
        }
    }
    return MP_IMPORT_STAT_NO_EXIST;
}
