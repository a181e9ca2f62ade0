// SPDX-License-Identifier: MIT
//
// sys.stdin, sys.stdout, sys.stderr and their `buffer`: the console as streams. Unlike
// MicroPython's own they have setblocking(), so that asyncio reads a line while it is typed.

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "stdstreams.h"

typedef enum { IN, OUT, ERR, BINARY } kind_t; // one BINARY for both directions, as on any board

typedef struct {
    mp_obj_base_t base;
    kind_t kind;
} stdstream_t;

static bool nonblocking[BINARY + 1];

void stdstreams_init(void) {
    memset(nonblocking, 0, sizeof(nonblocking));
}

static kind_t kind_of(mp_obj_t self) {
    return ((const stdstream_t *)MP_OBJ_TO_PTR(self))->kind;
}

static void stdstream_print(const mp_print_t *print, mp_obj_t self, mp_print_kind_t kind) {
    (void)kind;
    mp_printf(print, "<io.%s %d>", mp_obj_get_type_str(self), kind_of(self));
}

static mp_uint_t stdstream_read(mp_obj_t self, void *buf, mp_uint_t size, int *errcode) {
    kind_t kind = kind_of(self);
    uint8_t *bytes = buf;
    if (kind == OUT || kind == ERR) {
        *errcode = MP_EPERM;
        return MP_STREAM_ERROR;
    }
    for (mp_uint_t n = 0; n < size; ++n) {
        if (nonblocking[kind] && !mp_hal_stdio_poll(MP_STREAM_POLL_RD)) {
            *errcode = MP_EAGAIN;
            return n != 0 ? n : MP_STREAM_ERROR;
        }
        bytes[n] = mp_hal_stdin_rx_chr();
        if (kind == IN && bytes[n] == '\r') {
            bytes[n] = '\n'; // Enter
        }
    }
    return size;
}

static mp_uint_t stdstream_write(mp_obj_t self, const void *buf, mp_uint_t size, int *errcode) {
    switch (kind_of(self)) {
        case IN:
            *errcode = MP_EPERM;
            return MP_STREAM_ERROR;
        case BINARY:
            return mp_hal_stdout_tx_strn(buf, size);
        default:
            mp_hal_stdout_tx_strn_cooked(buf, size);
            return size;
    }
}

static mp_uint_t stdstream_ioctl(mp_obj_t self, mp_uint_t request, uintptr_t arg, int *errcode) {
    (void)self;
    switch (request) {
        case MP_STREAM_POLL:
            return mp_hal_stdio_poll(arg);
        case MP_STREAM_CLOSE:
            return 0;
        default:
            *errcode = MP_EINVAL;
            return MP_STREAM_ERROR;
    }
}

// setblocking(flag): False lets reads return what is there, or None if that is nothing.
static mp_obj_t stdstream_setblocking(mp_obj_t self, mp_obj_t flag) {
    nonblocking[kind_of(self)] = !mp_obj_is_true(flag);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(stdstream_setblocking_obj, stdstream_setblocking);

static const stdstream_t buffer_obj;

static const mp_rom_map_elem_t stdstream_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mp_stream___exit___obj) },
    { MP_ROM_QSTR(MP_QSTR_buffer), MP_ROM_PTR(&buffer_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_identity_obj) },
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj) },
    { MP_ROM_QSTR(MP_QSTR_readlines), MP_ROM_PTR(&mp_stream_unbuffered_readlines_obj) },
    { MP_ROM_QSTR(MP_QSTR_setblocking), MP_ROM_PTR(&stdstream_setblocking_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj) },
};
static MP_DEFINE_CONST_DICT(stdstream_locals, stdstream_locals_table);

static const mp_stream_p_t text_protocol = {
    .read = stdstream_read,
    .write = stdstream_write,
    .ioctl = stdstream_ioctl,
    .is_text = true,
};
static MP_DEFINE_CONST_OBJ_TYPE(text_type, MP_QSTR_TextIOWrapper, MP_TYPE_FLAG_ITER_IS_STREAM,
    print, stdstream_print, protocol, &text_protocol, locals_dict, &stdstream_locals);

static const mp_stream_p_t binary_protocol = {
    .read = stdstream_read,
    .write = stdstream_write,
    .ioctl = stdstream_ioctl,
};
static MP_DEFINE_CONST_OBJ_TYPE(binary_type, MP_QSTR_FileIO, MP_TYPE_FLAG_ITER_IS_STREAM,
    print, stdstream_print, protocol, &binary_protocol, locals_dict, &stdstream_locals);

const stdstream_t mp_sys_stdin_obj = { { &text_type }, IN };
const stdstream_t mp_sys_stdout_obj = { { &text_type }, OUT };
const stdstream_t mp_sys_stderr_obj = { { &text_type }, ERR };
static const stdstream_t buffer_obj = { { &binary_type }, BINARY };
