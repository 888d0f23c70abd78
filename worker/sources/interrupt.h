/* worker/sources/interrupt.h - ends a refresh in progress: database libraries block, so their sockets are shut down
 * from outside and their calls return an error. One owner initialises and clears it; any thread may call. */
#ifndef ECOSYS_WORKER_SOURCES_INTERRUPT_H
#define ECOSYS_WORKER_SOURCES_INTERRUPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/status.h"

/* Limits that servers and libraries enforce themselves exceed the deadline by this much, so that the deadline comes
 * first, with its own message, and they end what it left behind. */
#define INTERRUPT_MARGIN_S 1

/* Rows to read between two checks of the deadline. */
#define INTERRUPT_LOOK_ROWS 1024

enum interrupt_slot { INTERRUPT_KOMMO, INTERRUPT_ECOSYS, INTERRUPT_SLOTS };

struct interrupt {
    pthread_mutex_t mutex;
    int sockets[INTERRUPT_SLOTS]; /* -1: none; duplicates, as libraries close theirs whenever they like */
    int64_t deadline_ms;          /* on the monotonic clock; 0: none */
    const char *deadline_words;   /* static: the message once it has passed */
    enum status raised;           /* the reason; STATUS_OK: not raised */
    const char *late_words;       /* of the deadline that raised it; NULL: not raised by one */
};

void interrupt_init(struct interrupt *interrupt);
void interrupt_clear(struct interrupt *interrupt);

/* Registers a socket that is in use. It is shut down at once if the interrupt has already been raised. */
void interrupt_watch(struct interrupt *interrupt, enum interrupt_slot slot, int socket);
void interrupt_unwatch(struct interrupt *interrupt, enum interrupt_slot slot);

/* Sets a deadline `allowed_ms` after `now_ms`. `words`, which must outlive it, is the message once it has passed. */
void interrupt_set_deadline(struct interrupt *interrupt, int64_t now_ms, int64_t allowed_ms,
                            const char *words);
void interrupt_end_deadline(struct interrupt *interrupt);

/* Time left at `now_ms`: 0 past the deadline, INT64_MAX without one. */
int64_t interrupt_left_ms(struct interrupt *interrupt, int64_t now_ms);

/* Raises STATUS_UNAVAILABLE when the deadline has passed. */
void interrupt_check_deadline(struct interrupt *interrupt, int64_t now_ms);

/* Shuts down the registered sockets. The first reason stays. */
void interrupt_raise(struct interrupt *interrupt, enum status reason);

/* Shuts down one socket without raising the interrupt: its result is no longer needed. */
void interrupt_cut(struct interrupt *interrupt, enum interrupt_slot slot);

/* STATUS_OK while not raised, else the reason, with its message in err. */
MUST_CHECK enum status interrupt_status(struct interrupt *interrupt, struct error *err);

/* The same, after checking the deadline: for code that works without blocking, as the other checkers may be blocked. */
MUST_CHECK enum status interrupt_look(struct interrupt *interrupt, int64_t now_ms, struct error *err);

#endif
