// SPDX-License-Identifier: MIT
//
// The port's index of frozen files against MicroPython's own search: the same answers for any
// names, and a crash that says why when there are more files than the index can hold.

#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#define mp_find_frozen_module theirs
#include "py/frozenmod.c"
#undef mp_find_frozen_module
mp_import_stat_t mp_find_frozen_module(const char *path, int *frozen_type, void **data);
#include "../../ports/riscv/frozen.c"

#define MOST (FILES_MAX + 4)
#define LONGEST (8)

// What mpy-tool.py makes, under names by which it is no constant.
char names[MOST * (LONGEST + 1) + 1] __asm__("mp_frozen_names");
const mp_frozen_module_t *content[MOST] __asm__("mp_frozen_mpy_content");
static const mp_frozen_module_t modules[MOST];

static size_t n; // files
static jmp_buf crashed;

void crash(const char *why) {
    CHECK(strstr(why, "FILES_MAX") != NULL);
    longjmp(crashed, 1);
}

// Folders and files of few letters, so that one is often the beginning of another.
static size_t path(char *to) {
    size_t len = 1 + below(LONGEST);
    for (size_t i = 0; i < len; ++i) {
        to[i] = i > 0 && below(3) == 0 ? '/' : 'a' + below(3);
    }
    to[len] = 0;
    return len;
}

static void ask(const char *name) {
    int type, wanted_type;
    void *data = NULL, *wanted_data = NULL;
    CHECK(mp_find_frozen_module(name, &type, &data) == theirs(name, &wanted_type, &wanted_data));
    CHECK(type == wanted_type && data == wanted_data);
    CHECK(mp_find_frozen_module(name, NULL, NULL) == theirs(name, NULL, NULL));
}

static void one(void) {
    char name[LONGEST + 1];
    size_t at = 0;
    n = below(4) ? below(20) : FILES_MAX - 3 + below(8);
    memset(files, 0, sizeof(files));
    count = initials = 0;
    for (size_t i = 0; i < n; ++i) {
        at += path(names + at) + 1;
        content[i] = modules + i;
    }
    names[at] = 0;
    if (setjmp(crashed) != 0) {
        CHECK(n > FILES_MAX);
        return;
    }
    ask("");
    CHECK(n <= FILES_MAX);
    for (size_t i = 0; i < 200; ++i) {
        path(name);
        ask(name);
    }
}
