/* worker/interrupt.h - how a refresh under way is ended: database libraries block, so their sockets are shut down
 * from outside and their calls come back with an error. One owner makes and clears it; any thread may call. */
#ifndef ECOSYS_WORKER_INTERRUPT_H
#define ECOSYS_WORKER_INTERRUPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/status.h"

/* Servers and libraries that keep limits of their own get so much more than the deadline: it is the first to strike, in
 * its own words, and they end what it left behind. */
#define INTERRUPT_MARGIN_S 1

enum interrupt_slot { INTERRUPT_KOMMO, INTERRUPT_ECOSYS, INTERRUPT_SLOTS };

struct interrupt {
    pthread_mutex_t mutex;
    int sockets[INTERRUPT_SLOTS]; /* -1: none; duplicates, as libraries close theirs when they please */
    int64_t deadline_ms;          /* on the monotonic clock; 0: none */
    enum status raised;           /* why; STATUS_OK: not raised */
};

void interrupt_init(struct interrupt *interrupt);
void interrupt_clear(struct interrupt *interrupt);

/* Registers a socket that is in use. It is shut down at once when the interrupt was raised before. */
void interrupt_watch(struct interrupt *interrupt, enum interrupt_slot slot, int socket);
void interrupt_unwatch(struct interrupt *interrupt, enum interrupt_slot slot);

/* From `now_ms` on the snapshot has `allowed_ms` left; 0 ends that. */
void interrupt_set_deadline(struct interrupt *interrupt, int64_t now_ms, int64_t allowed_ms);

/* From `now_ms` to the deadline, 0 behind it; INT64_MAX without one. */
int64_t interrupt_left_ms(struct interrupt *interrupt, int64_t now_ms);

/* Raises STATUS_UNAVAILABLE when the deadline has passed. */
void interrupt_check_deadline(struct interrupt *interrupt, int64_t now_ms);

/* Shuts the registered sockets down. The first reason stays. */
void interrupt_raise(struct interrupt *interrupt, enum status reason);

/* STATUS_OK while not raised, else the reason with words for it in err. */
MUST_CHECK enum status interrupt_status(struct interrupt *interrupt, struct error *err);

#endif
