// SPDX-License-Identifier: MIT
//
// The life of the board: power-on once, then one pass of the loop per soft reset.

#include <string.h>

#include "py/builtin.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"
#include "fdt.h"
#include "finisher.h"
#include "guard.h"
#include "heap.h"
#include "machine_timer.h"
#include "modvirt.h"
#include "plic.h"
#include "random.h"
#include "ramdisk.h"
#include "stdstreams.h"
#include "trap.h"
#include "uart.h"

// A machine reset rewrites the image but keeps the rest of RAM: this word tells
// machine.reset() from power-on, and holds the cause.
#define WARM (0x76736e00)
extern uint32_t __warm;

extern uint8_t __heap_start, __stack_top, __stack_bottom, __pystack_start, __pystack_end;

const char *main_bootargs;
int main_reset_cause;
static int exit_status; // of the last piece of Python, as a shell would see it

const char main_help_text[] =
    "Welcome to vsnd: MicroPython on a board with a sound card, inside QEMU.\n"
    "\n"
    "First steps:\n"
    "  import audio; audio.tone(440, 500)     play a tone: Hz, ms\n"
    "  audio.play('/rom/x.wav')               play a file (make run-qemu ROM=folder)\n"
    "  import vsnd; card = vsnd.open()        open the card\n"
    "  print(card)                            what it can do\n"
    "  out = card.output()                    48000 Hz, stereo, S16\n"
    "  out.write(buf)                         play samples of your own\n"
    "  out.close()                            when all of them were heard\n"
    "  import os; os.listdir()                list the files\n"
    "\n"
    "Keys:\n"
    "  CTRL-C      interrupt the program\n"
    "  CTRL-D      on an empty line: soft reset\n"
    "  CTRL-E      paste several lines; CTRL-D ends them\n"
    "  CTRL-A X    leave QEMU; so does: import virt; virt.exit()\n"
    "\n"
    "help('modules') lists the modules, help(out) what an object has.\n"
    "More: docs/quickref.md beside the sources, and https://docs.micropython.org\n";

void main_next_cause(int cause) {
    __warm = WARM | cause;
}

void main_after_exec(void *exception, int ret) {
    exit_status = ret == 1 ? 0 : 1;
    if (ret & PYEXEC_FORCED_EXIT) {
        // As CPython: no value or None is 0, an int is itself, anything else is 1.
        mp_obj_t value = mp_obj_exception_get_value(MP_OBJ_FROM_PTR(exception));
        mp_int_t status;
        if (value == mp_const_none) {
            exit_status = 0;
        } else if (mp_obj_get_int_maybe(value, &status)) {
            exit_status = status & 0xff;
            if (exit_status == 0 && status != 0) {
                exit_status = 1;
            }
        } else {
            mp_obj_print(value, PRINT_STR);
            mp_print_str(&mp_plat_print, "\n");
        }
    }
}

uint32_t main_random_seed(void) {
    uint32_t seed;
    random_bytes(&seed, sizeof(seed));
    return seed;
}

static bool has_bootarg(const char *word) {
    size_t len = strlen(word);
    for (const char *p = main_bootargs; (p = strstr(p, word)) != NULL; p += len) {
        if ((p == main_bootargs || p[-1] == ' ') && (p[len] == 0 || p[len] == ' ')) {
            return true;
        }
    }
    return false;
}

static bool has_disk(void) {
    for (uintptr_t slot = 0; slot < VIRTIO_SLOTS; ++slot) {
        uintptr_t page = VIRTIO_BASE + slot * VIRTIO_STRIDE;
        if (*(volatile uint32_t *)(page + VIRTIO_ID) == VIRTIO_DISK) {
            return true;
        }
    }
    return false;
}

static bool mounted; // the disk or the RAM disk, in this life

// The disk becomes /disk and the current directory. One that cannot be mounted is told of, and
// the board does without.
static void mount_disk(void) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t vblk = mp_import_name(MP_QSTR_vblk, mp_const_none, MP_OBJ_NEW_SMALL_INT(0));
        mp_obj_t path = MP_OBJ_NEW_QSTR(MP_QSTR__slash_disk);
        mp_call_function_1(mp_load_attr(vblk, MP_QSTR_mount), path);
        mounted = true;
        nlr_pop();
    } else {
        mp_printf(&mp_plat_print, "no /disk:\n");
        mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    }
}

// Without a disk the RAM disk is the root directory. The tone at power-on does not wait for it.
static void mount_ramdisk(void) {
    if (!mounted) {
        mounted = true;
        ramdisk_mount();
    }
}

static bool is_file(const char *path) {
    return mp_import_stat(path) == MP_IMPORT_STAT_FILE;
}

// Runs `name`, the end of `in_rom`, from /rom or else from the current directory; false if neither
// has it. While a program of /rom runs, that is the current directory.
static bool run_file(const char *in_rom, const char *name, int *ret) {
    if (is_file(in_rom)) {
        mount_ramdisk();
        mp_vfs_mount_t *home = MP_STATE_VM(vfs_cur);
        mp_vfs_chdir(MP_OBJ_NEW_QSTR(MP_QSTR__slash_rom)); // mounted by mp_init()
        mp_vfs_mount_t *rom = MP_STATE_VM(vfs_cur);
        *ret = pyexec_file(name);
        if (MP_STATE_VM(vfs_cur) == rom) {
            MP_STATE_VM(vfs_cur) = home;
        }
        return true;
    }
    if (is_file(name)) {
        *ret = pyexec_file(name);
        return true;
    }
    return false;
}

// boot.py and main.py as on every board; without a main.py, the embedded tone at
// power-on. True if a program asked for a soft reset (SystemExit).
static bool run_programs(void) {
    if (has_bootarg("repl")) {
        return false;
    }
    int ret = 1;
    run_file("/rom/boot.py", "boot.py", &ret);
    // Who resets from the raw REPL, as mpremote does, does not want main.py.
    if (!(ret & PYEXEC_FORCED_EXIT) && ret != 0 && pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL) {
        if (!run_file("/rom/main.py", "main.py", &ret) && main_reset_cause != SOFT_RESET) {
            ret = pyexec_frozen_module("_tone.py", true);
        }
    }
    if (has_bootarg("batch")) {
        finisher_exit(exit_status);
    }
    return ret & PYEXEC_FORCED_EXIT;
}

void main_deinit(void) {
    machine_timer_deinit();
    // Nothing of the program runs any more, and no lock of its is left: what follows is Python.
    irq_disable();
    MP_STATE_VM(sched_len) = 0;
    MP_STATE_VM(sched_state) = MP_STATE_VM(sched_head) == NULL ? MP_SCHED_IDLE : MP_SCHED_PENDING;
    MP_STATE_THREAD(mp_pending_exception) = MP_OBJ_NULL;
    MP_STATE_THREAD(gc_lock_depth) = 0;
    MP_STATE_VM(dupterm_objs[0]) = MP_OBJ_NULL;
    irq_enable();
    modvirt_deinit();
}

void main_run(const void *fdt) {
    guard_init();
    main_reset_cause = (__warm & ~0xffu) == WARM ? __warm & 0xff : PWRON_RESET;
    main_next_cause(HARD_RESET);

    plic_init();
    uart_init();
    irq_enable();

    fdt_info_t info = fdt_read(fdt);
    main_bootargs = info.bootargs;
    random_init(info.rng_seed, info.rng_seed_bytes);
    uintptr_t ram_end = info.ram_end ? info.ram_end : (uintptr_t)&__heap_start + RAM_SIZE;
    if ((uintptr_t)fdt > (uintptr_t)&__heap_start && (uintptr_t)fdt < ram_end) {
        ram_end = (uintptr_t)fdt; // bootargs point into the tree: keep off it
    }
    if (ram_end < (uintptr_t)&__heap_start + MICROPY_HEAP_FIRST_AREA) {
        crash("too little RAM: start QEMU with -m 16M or more");
    }
    ram_end = ramdisk_reserve((uintptr_t)&__heap_start, ram_end);
    mp_cstack_init_with_top(&__stack_top, &__stack_top - &__stack_bottom);

    for (;;) {
        heap_init(ram_end);
        mp_pystack_init(&__pystack_start, &__pystack_end);
        mp_init();
        readline_init0();
        stdstreams_init();
        modvirt_init();

        mounted = false;
        if (has_disk()) {
            mount_disk();
        }
        if (ramdisk_used()) {
            mount_ramdisk(); // it may have a boot.py
        }
        if (!run_programs()) {
            mount_ramdisk();
            for (;;) {
                if (pyexec_mode_kind == PYEXEC_MODE_RAW_REPL) {
                    if (pyexec_raw_repl() != 0) {
                        break;
                    }
                } else if (pyexec_friendly_repl() != 0) {
                    break;
                }
            }
        }

        main_deinit();
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        gc_sweep_all();
        mp_deinit();
        main_reset_cause = SOFT_RESET;
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
}

void nlr_jump_fail(void *val) {
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(val));
    crash("exception outside of any handler");
}
