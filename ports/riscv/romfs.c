// SPDX-License-Identifier: MIT
//
// Checks a ROMFS image (extmod/vfs_rom.c in MicroPython says what one is). Only C comes before the
// image is mounted. host/virtboard/romfs.py does the same on the host.

#include "romfs.h"

#define DATA_POINTER    (3)
#define DIRECTORY       (4)
#define FILE_           (5)
#define FILE_SYSTEM     (0x14a6b1)

#define DEPTH_MAX       (32)
#define NUMBER_MAX      (10) // bytes: more than any size_t needs

typedef struct {
    const uint8_t *start, *end; // what pointers are relative to, and may not leave
} files_t;

// Decodes a number, most significant 7 bits first, and goes past it.
static bool number(const uint8_t **at, const uint8_t *end, size_t *value) {
    *value = 0;
    for (int i = 0; i < NUMBER_MAX && *at < end; ++i) {
        uint8_t byte = *(*at)++;
        if (*value > SIZE_MAX >> 7) {
            return false; // MicroPython would take its low bits
        }
        *value = *value << 7 | (byte & 0x7f);
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

// The start of a record: its kind, and where it ends.
static bool record(const uint8_t **at, const uint8_t *end, size_t *kind, const uint8_t **next) {
    size_t len;
    if (!number(at, end, kind) || !number(at, end, &len) || len > (size_t)(end - *at)) {
        return false;
    }
    *next = *at + len;
    return *kind != 0;
}

static bool records(const files_t *files, const uint8_t *at, const uint8_t *end, int depth) {
    while (at < end) {
        size_t kind, size, offset;
        const uint8_t *next;
        if (!record(&at, end, &kind, &next)) {
            return false;
        }
        if (kind == DIRECTORY || kind == FILE_) {
            // A name, and what is in it.
            if (!number(&at, next, &size) || size > (size_t)(next - at) || depth == 0) {
                return false;
            }
            if (!records(files, at + size, next, depth - 1)) {
                return false;
            }
        } else if (kind == DATA_POINTER) {
            size_t all = files->end - files->start;
            if (!number(&at, next, &size) || !number(&at, next, &offset)) {
                return false;
            }
            if (offset > all || size > all - offset) {
                return false;
            }
        }
        at = next;
    }
    return true;
}

bool romfs_is_whole(const uint8_t *image, size_t size) {
    size_t kind;
    files_t files = { image, image + size };
    return record(&files.start, files.end, &kind, &files.end)
           && kind == FILE_SYSTEM
           && records(&files, files.start, files.end, DEPTH_MAX);
}
