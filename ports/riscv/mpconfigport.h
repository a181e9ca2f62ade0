// SPDX-License-Identifier: MIT
//
// Board hooks first, then internals, language, modules, in the order of other ports.

#include <alloca.h>
#include <stdint.h>

#include "board.h"
#include "mpconfigboard.h"

#define MICROPY_CONFIG_ROM_LEVEL                (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

// Memory: heap areas come from heap.c.
#define MICROPY_ENABLE_GC                       (1)
#define MICROPY_GC_SPLIT_HEAP                   (1)
#define MICROPY_GC_SPLIT_HEAP_AUTO              (1)
#define MICROPY_HEAP_FIRST_AREA                 (256 * 1024)
#define MP_PLAT_ALLOC_HEAP(size)                heap_area_alloc(size)
#define MP_PLAT_FREE_HEAP(area)                 heap_area_free(area)
#define MICROPY_ENABLE_PYSTACK                  (1) // or every larger call allocates
#define MICROPY_BYTES_PER_GC_BLOCK              (64) // a collection costs by the block, on 32 bits too
#define MICROPY_GC_STACK_ENTRY_TYPE             uint32_t
#define MICROPY_ALLOC_GC_STACK_SIZE             (4096) // a list of more objects is gone through twice
#define MICROPY_ALLOC_PATH_MAX                  (256)
#define MICROPY_STACK_CHECK_MARGIN              (8192)

// The RV64 routines of 1.26 save neither fs0..fs11, which lp64d preserves, nor
// exist in 1.25: use setjmp for exceptions and for the collector's registers.
#define MICROPY_NLR_SETJMP                      (1)
#define MICROPY_GCREGS_SETJMP                   (1)
// GCC keeps nothing in registers across setjmp(), by name. py/vm.c knows which of its variables need
// that, as it is written for nlr_push() routines that GCC takes for any function: Makefile, start.S.
#ifdef VM_SETJMP
#include <setjmp.h>
int vm_setjmp(jmp_buf);
#define setjmp vm_setjmp
#endif

// Internals
#define MICROPY_PERSISTENT_CODE_LOAD            (1)
#define MICROPY_OPT_COMPUTED_GOTO               (1)
#define MICROPY_OPT_MAP_LOOKUP_CACHE_SIZE       (1024)
#define MICROPY_MODULE_DICT_SIZE                (64)
#define MICROPY_LOADED_MODULES_DICT_SIZE        (32)
#define MICROPY_READER_VFS                      (1)
#define mp_builtin___import__                   import_module // see import.c
#define MICROPY_WRAP_MP_MAP_LOOKUP(f)           f##_default // see map.c
#define MICROPY_WRAP_MP_BINARY_OP(f)            f##_default // see binary_op.c
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF  (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE    (256)
#define MICROPY_LONGINT_IMPL                    (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL                      (MICROPY_FLOAT_IMPL_DOUBLE)
#define MICROPY_SCHEDULER_DEPTH                 (8)
#define MICROPY_SCHEDULER_STATIC_NODES          (1)
#define MICROPY_USE_INTERNAL_ERRNO              (1)
#define MICROPY_KBD_EXCEPTION                   (1)
#define MICROPY_WARNINGS                        (1)
#define MICROPY_BOARD_AFTER_PYTHON_EXEC(kind, flags, value, ret) main_after_exec(value, *(ret))

// Language and built-in modules
#define MICROPY_PY_BUILTINS_HELP_TEXT           main_help_text
#define MICROPY_PY_SYS_PLATFORM                 "riscv"
#define MICROPY_EPOCH_IS_1970                   (1)
#define MICROPY_PY_ERRNO_LIST \
    X(EPERM) X(ENOENT) X(EIO) X(EBADF) X(EAGAIN) X(ENOMEM) X(EACCES) X(EBUSY) X(EEXIST) \
    X(ENODEV) X(ENOTDIR) X(EISDIR) X(EINVAL) X(ENOSPC) X(EROFS) X(EPIPE) X(EOPNOTSUPP) \
    X(EADDRINUSE) X(ECONNABORTED) X(ECONNRESET) X(ENOBUFS) X(ENOTCONN) X(ETIMEDOUT) \
    X(ECONNREFUSED) X(EHOSTUNREACH) X(EALREADY) X(EINPROGRESS)
#define MICROPY_PY_DEFLATE_COMPRESS             (1)
#define MICROPY_PY_MICROPYTHON_HEAP_LOCKED      (1)
#define MICROPY_PY_OS_DUPTERM                   (1)
#define MICROPY_PY_OS_INCLUDEFILE               "modos_riscv.c"
#define MICROPY_PY_OS_UNAME                     (1)
#define MICROPY_PY_OS_URANDOM                   (1)
#define MICROPY_PY_OS_SYNC                      (1)
#define MICROPY_PY_RE_MATCH_GROUPS              (1)
#define MICROPY_PY_RE_MATCH_SPAN_START_END      (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC        (main_random_seed())
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS            (1)
#define MICROPY_PY_TIME_INCLUDEFILE             "modtime_riscv.c"
#define MICROPY_PY_MACHINE                      (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE          "modmachine_riscv.c"
#define MICROPY_MACHINE_MEM_GET_READ_ADDR       machine_mem_address
#define MICROPY_MACHINE_MEM_GET_WRITE_ADDR      machine_mem_address
#define MICROPY_PY_MACHINE_RESET                (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS     (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (1)
#define MICROPY_VFS                             (1)
#define MICROPY_VFS_ROM                         (1)
#define MICROPY_VFS_ROM_IOCTL                   (1)
#define MICROPY_FATFS_ENABLE_LFN                (2) // long names; the work area is on the stack
#define MICROPY_FATFS_LFN_CODE_PAGE             437
#define MICROPY_FATFS_RPATH                     (2)

// Types
#define MP_SSIZE_MAX                            (INTPTR_MAX)
#define UINT_FMT                                "%lu"
#define INT_FMT                                 "%ld"
#define HEX_FMT                                 "%lx"
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef intptr_t mp_off_t;

#define MP_STATE_PORT                           MP_STATE_VM

// Sleeping and interrupts
#define MICROPY_BEGIN_ATOMIC_SECTION()          irq_disable()
#define MICROPY_END_ATOMIC_SECTION(state)       irq_restore(state)
#define MICROPY_INTERNAL_WFE(timeout_ms)        mp_hal_wait_ms(timeout_ms)
#define MICROPY_SCHED_HOOK_SCHEDULED            clint_notify()

#include "clint.h"
#include "heap.h"
#include "main.h"
