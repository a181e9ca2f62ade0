// SPDX-License-Identifier: MIT
//
// The floor: what playing costs when nothing but the processor is in the way. A driver of
// virtio-sound on bare metal that does the least that the specification allows, in its order:
// one stream, S16 stereo, 48 kHz, periods of 480 frames, four of them queued, one notification
// and one interrupt for each. It plays the samples that the Python programs of bench/guest play.
//
// Built twice: with COPY=1 a period is copied into its slot, with COPY=0 the device reads it from
// where it lies. Numbers like 2.7 are sections of VirtIO 1.3.

#include <stddef.h>
#include <stdint.h>

#include "machine.h"

#define PERIOD_BYTES (480 * 4)
#define SLOTS        (4)        // periods queued at the most
#define FILE_PERIODS (100)      // the samples, again and again
#define TIMES        (3)        // that are counted
#define TAIL_PERIODS (6)        // of silence, to push the last samples through QEMU's buffers

#define CHECK(condition) ((condition) ? (void)0 : failed(#condition))

static void failed(const char *what) {
    print("not so: ");
    print(what);
    print("\n");
    finish(1);
}

// Registers of virtio-mmio (4.2.2).
#define VIRTIO(offset) REG(VIRTIO_BASE + (offset))
#define MAGIC_VALUE         VIRTIO(0x000)
#define VERSION             VIRTIO(0x004)
#define DEVICE_ID           VIRTIO(0x008)
#define DRIVER_FEATURES     VIRTIO(0x020)
#define DRIVER_FEATURES_SEL VIRTIO(0x024)
#define QUEUE_SEL           VIRTIO(0x030)
#define QUEUE_SIZE          VIRTIO(0x038)
#define QUEUE_READY         VIRTIO(0x044)
#define QUEUE_NOTIFY        VIRTIO(0x050)
#define INTERRUPT_STATUS    VIRTIO(0x060)
#define INTERRUPT_ACK       VIRTIO(0x064)
#define STATUS              VIRTIO(0x070)
#define QUEUE_DESC          (0x080)
#define QUEUE_DRIVER        (0x090)
#define QUEUE_DEVICE        (0x0a0)

enum { ACKNOWLEDGE = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8 };

// A split virtqueue (2.7). The device owns what lies between `returned` and `submitted`.

#define QUEUE_MAX (16)
enum { NEXT = 1, WRITE = 2 }; // flags of a descriptor: another follows; the device writes it

struct queue {
    struct {
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next;
    } desc[QUEUE_MAX];
    struct {
        uint16_t flags;
        volatile uint16_t idx;
        uint16_t ring[QUEUE_MAX];
    } avail;
    struct {
        _Alignas(4) uint16_t flags;
        volatile uint16_t idx;
        struct {
            uint32_t id, len;
        } ring[QUEUE_MAX];
    } used;
    uint32_t index;
    uint16_t submitted, returned;
};

// Sound (5.14): messages and their numbers.

enum { CONTROLQ = 0, TXQ = 2 };
enum { SET_PARAMS = 0x101, PREPARE = 0x102, RELEASE = 0x103, START = 0x104, STOP = 0x105 };
enum { OK = 0x8000, S16 = 5, RATE_48000 = 7 };

struct pcm_request {
    uint32_t code, stream;
    uint32_t buffer_bytes, period_bytes, features; // these and what follows: of SET_PARAMS
    uint8_t channels, format, rate, padding;
};

struct pcm_status {
    uint32_t status, latency_bytes;
};

static struct queue control __attribute__((aligned(16)));
static struct queue tx __attribute__((aligned(16)));
static struct pcm_request request;
static volatile uint32_t answer;
static uint32_t stream_0; // the header of each period: the stream's number
static volatile struct pcm_status statuses[SLOTS];
static int16_t samples[FILE_PERIODS * PERIOD_BYTES / 2] __attribute__((aligned(8)));
static uint8_t silence[PERIOD_BYTES] __attribute__((aligned(8)));
#if COPY
static uint8_t slots[SLOTS][PERIOD_BYTES] __attribute__((aligned(8)));
#endif

static void put_address(unsigned offset, const volatile void *address) {
    uint64_t value = (uintptr_t)address;
    VIRTIO(offset) = (uint32_t)value;
    VIRTIO(offset + 4) = (uint32_t)(value >> 32);
}

static void put_descriptor(struct queue *q, unsigned at, const volatile void *address, size_t len,
    unsigned flags) {
    q->desc[at].addr = (uintptr_t)address;
    q->desc[at].len = (uint32_t)len;
    q->desc[at].flags = (uint16_t)flags;
    q->desc[at].next = (uint16_t)(at + 1);
}

static void queue_init(struct queue *q, uint32_t index) { // 4.2.3.2
    q->index = index;
    QUEUE_SEL = index;
    QUEUE_SIZE = QUEUE_MAX;
    put_address(QUEUE_DESC, q->desc);
    put_address(QUEUE_DRIVER, &q->avail);
    put_address(QUEUE_DEVICE, &q->used);
    QUEUE_READY = 1;
}

// The next chain of the available ring is the device's (2.7.13).
static inline void submit(struct queue *q) {
    fence();
    q->avail.idx = ++q->submitted;
    fence();
    QUEUE_NOTIFY = q->index;
}

// Sleeps until the device has returned a chain, the oldest.
static inline void wait(struct queue *q) {
    while (q->used.idx == q->returned) {
        sleep_until_interrupt();
        uint32_t source = PLIC_CLAIM;
        INTERRUPT_ACK = INTERRUPT_STATUS;
        PLIC_CLAIM = source;
    }
    fence();
    q->returned++;
}

static void device_init(void) { // 3.1.1
    CHECK(MAGIC_VALUE == 0x74726976);
    CHECK(VERSION == 2);
    CHECK(DEVICE_ID == 25);
    STATUS = 0;
    STATUS = ACKNOWLEDGE | DRIVER;
    DRIVER_FEATURES_SEL = 0;
    DRIVER_FEATURES = 0;
    DRIVER_FEATURES_SEL = 1;
    DRIVER_FEATURES = 1; // VERSION_1, and nothing else
    STATUS = ACKNOWLEDGE | DRIVER | FEATURES_OK;
    CHECK(STATUS & FEATURES_OK);
    queue_init(&control, CONTROLQ);
    queue_init(&tx, TXQ);
    STATUS = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK;

    // All chains are written here, once and for all; so are the available rings, which repeat.
    put_descriptor(&control, 0, &request, sizeof(request), NEXT);
    put_descriptor(&control, 1, &answer, sizeof(answer), WRITE);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        put_descriptor(&tx, 3 * slot, &stream_0, sizeof(stream_0), NEXT);
        #if COPY
        put_descriptor(&tx, 3 * slot + 1, slots[slot], PERIOD_BYTES, NEXT);
        #else
        put_descriptor(&tx, 3 * slot + 1, NULL, PERIOD_BYTES, NEXT);
        #endif
        put_descriptor(&tx, 3 * slot + 2, &statuses[slot], sizeof(statuses[slot]), WRITE);
    }
    for (unsigned i = 0; i < QUEUE_MAX; i++) {
        tx.avail.ring[i] = (uint16_t)(3 * (i % SLOTS));
    }
}

static void command(uint32_t code) { // 5.14.6.6
    request.code = code;
    answer = 0;
    submit(&control);
    wait(&control);
    CHECK(answer == OK);
}

#if COPY
// As wide as a register, eight at a time.
static inline void copy(void *to, const void *from) {
    unsigned long *d = to;
    const unsigned long *s = from;
    const unsigned long *end = s + PERIOD_BYTES / sizeof(*s);
    while (s != end) {
        unsigned long s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3];
        unsigned long s4 = s[4], s5 = s[5], s6 = s[6], s7 = s[7];
        d[0] = s0, d[1] = s1, d[2] = s2, d[3] = s3;
        d[4] = s4, d[5] = s5, d[6] = s6, d[7] = s7;
        s += 8, d += 8;
    }
}
#endif

// Takes the oldest period back; the device says in its status whether it was taken well.
static inline void reap(void) {
    unsigned slot = tx.returned % SLOTS;
    wait(&tx);
    CHECK(statuses[slot].status == OK);
}

static void play(const void *data, unsigned periods) { // 5.14.6.8
    const uint8_t *at = data;
    for (const uint8_t *end = at + periods * PERIOD_BYTES; at != end; at += PERIOD_BYTES) {
        if ((uint16_t)(tx.submitted - tx.returned) == SLOTS) {
            reap();
        }
        unsigned slot = tx.submitted % SLOTS;
        #if COPY
        copy(slots[slot], at);
        #else
        tx.desc[3 * slot + 1].addr = (uintptr_t)at;
        #endif
        submit(&tx);
    }
}

int main(void) {
    interrupts_init();
    device_init();
    request.buffer_bytes = SLOTS * PERIOD_BYTES;
    request.period_bytes = PERIOD_BYTES;
    request.channels = 2;
    request.format = S16;
    request.rate = RATE_48000;
    command(SET_PARAMS);
    command(PREPARE);
    for (int i = 0; i < SLOTS; i++) {
        play(silence, 1);
    }
    command(START);

    for (unsigned i = 0; i < sizeof(samples) / 2; i++) {
        samples[i] = (int16_t)(i * 40503);
    }
    play(samples, FILE_PERIODS);
    (void)MAGIC_VALUE; // a mark in QEMU's trace of register accesses
    unsigned long start = instructions();
    for (int i = 0; i < TIMES; i++) {
        play(samples, FILE_PERIODS);
    }
    unsigned long spent = instructions() - start;
    (void)MAGIC_VALUE;

    for (int i = 0; i < TAIL_PERIODS; i++) {
        play(silence, 1);
    }
    while (tx.submitted != tx.returned) {
        reap();
    }
    command(STOP);
    command(RELEASE);
    print("instructions ");
    print_number(spent);
    print("\n");
    finish(0);
}
