// SPDX-License-Identifier: MIT
//
// romfs_is_whole() on images that are well and on images that are not. What it takes is read again as
// MicroPython reads it (extmod/vfs_rom.c), which believes every number: it must stay within.

#include <string.h>

#include "romfs.h"
#include "fuzz.h"

static uint8_t *image;
static size_t image_size;
static volatile uint8_t sink;

static size_t put_number(uint8_t *to, size_t value) {
    uint8_t digits[10];
    size_t n = 0;
    do {
        digits[n++] = value & 0x7f;
    } while (value >>= 7);
    for (size_t i = 0; i < n; ++i) {
        to[i] = digits[n - 1 - i] | (i < n - 1 ? 0x80 : 0);
    }
    return n;
}

static size_t put_record(uint8_t *to, size_t kind, const uint8_t *data, size_t n) {
    size_t len = put_number(to, kind);
    len += put_number(to + len, n);
    memcpy(to + len, data, n);
    return len + n;
}

// A directory's content, at most some hundred bytes.
static size_t content(uint8_t *to, int depth) {
    size_t len = 0;
    for (size_t i = below(4); i > 0; --i) {
        uint8_t data[2000], inner[1000];
        size_t n = 0, name = below(9);
        data[n++] = name;
        for (size_t k = 0; k < name; ++k) {
            data[n++] = 'a' + below(26);
        }
        bool directory = depth > 0 && below(2);
        size_t size;
        if (directory) {
            size = content(inner, depth - 1);
            memcpy(data + n, inner, size);
            n += size;
        } else if (below(3) == 0) {
            size = put_number(inner, below(4)); // to the image's first bytes
            size += put_number(inner + size, 0);
            n += put_record(data + n, 3, inner, size);
        } else {
            size = below(20);
            memset(inner, 'x', size);
            n += put_record(data + n, 2, inner, size);
        }
        if (len + n > 180u << depth) {
            break;
        }
        len += put_record(to + len, directory ? 4 : 5, data, n);
    }
    return len;
}

static size_t number(const uint8_t **at) {
    size_t value = 0;
    uint8_t byte;
    do {
        CHECK(*at >= image && *at < image + image_size);
        byte = *(*at)++;
        value = value << 7 | (byte & 0x7f);
    } while (byte & 0x80);
    return value;
}

static void touch(const uint8_t *start, size_t n) {
    CHECK(start >= image && n <= (size_t)(image + image_size - start));
    for (size_t i = 0; i < n; ++i) {
        sink ^= start[i];
    }
}

static void walk(const uint8_t *files, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        size_t kind = number(&at), size = number(&at);
        const uint8_t *next = at + size;
        touch(at, size);
        CHECK(next <= end);
        if (kind == 4 || kind == 5) {
            size_t name = number(&at);
            touch(at, name);
            CHECK(at + name <= next);
            walk(files, at + name, next);
        } else if (kind == 3) {
            size_t n = number(&at), offset = number(&at);
            touch(files + offset, n);
        }
        at = next;
    }
}

static void one(void) {
    static uint8_t inside[8000], whole[8100];
    size_t n = content(inside, 3);
    size_t size = put_record(whole, 0x14a6b1, inside, n);
    size_t changes = below(4);
    for (size_t i = 0; i < changes; ++i) {
        whole[below(3) ? below(size) : below(size < 12 ? size : 12)] = below(2) ? any() : odd(size);
    }
    if (changes > 0 && below(4) == 0) {
        size = below(size) + 1;
    }
    image = malloc(size);
    image_size = size;
    memcpy(image, whole, size);
    bool taken = romfs_is_whole(image, size);
    CHECK(taken || changes > 0);
    if (taken) {
        const uint8_t *at = image;
        number(&at);
        size_t all = number(&at);
        touch(at, all);
        walk(at, at, at + all);
    }
    free(image);
}
