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

/* How many rows who reads them takes between two looks at the deadline. */
#define INTERRUPT_LOOK_ROWS 1024

enum interrupt_slot { INTERRUPT_KOMMO, INTERRUPT_ECOSYS, INTERRUPT_SLOTS };

struct interrupt {
    pthread_mutex_t mutex;
    int sockets[INTERRUPT_SLOTS]; /* -1: none; duplicates, as libraries close theirs when they please */
    int64_t deadline_ms;          /* on the monotonic clock; 0: none */
    const char *deadline_words;   /* static: what has taken too long when it has passed */
    enum status raised;           /* why; STATUS_OK: not raised */
    const char *late_words;       /* of the deadline that raised it; NULL: none did */
};

void interrupt_init(struct interrupt *interrupt);
void interrupt_clear(struct interrupt *interrupt);

/* Registers a socket that is in use. It is shut down at once when the interrupt was raised before. */
void interrupt_watch(struct interrupt *interrupt, enum interrupt_slot slot, int socket);
void interrupt_unwatch(struct interrupt *interrupt, enum interrupt_slot slot);

/* From `now_ms` on `allowed_ms` are left for what `words`, which must last, call too long when they are over. */
void interrupt_set_deadline(struct interrupt *interrupt, int64_t now_ms, int64_t allowed_ms,
                            const char *words);
void interrupt_end_deadline(struct interrupt *interrupt);

/* From `now_ms` to the deadline, 0 behind it; INT64_MAX without one. */
int64_t interrupt_left_ms(struct interrupt *interrupt, int64_t now_ms);

/* Raises STATUS_UNAVAILABLE when the deadline has passed. */
void interrupt_check_deadline(struct interrupt *interrupt, int64_t now_ms);

/* Shuts the registered sockets down. The first reason stays. */
void interrupt_raise(struct interrupt *interrupt, enum status reason);

/* Shuts one socket down and raises nothing: what it was for is of no use any more. */
void interrupt_cut(struct interrupt *interrupt, enum interrupt_slot slot);

/* STATUS_OK while not raised, else the reason with words for it in err. */
MUST_CHECK enum status interrupt_status(struct interrupt *interrupt, struct error *err);

/* The same, with a look at the deadline first: for who works on without blocking, as whoever else looks at it may be
 * blocked. */
MUST_CHECK enum status interrupt_look(struct interrupt *interrupt, int64_t now_ms, struct error *err);

#endif
