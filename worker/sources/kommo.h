/* worker/sources/kommo.h - the CRM's PostgreSQL: one read-only snapshot, read once. One thread at a time. */
#ifndef ECOSYS_WORKER_SOURCES_KOMMO_H
#define ECOSYS_WORKER_SOURCES_KOMMO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/domain/snapshot.h"
#include "common/program/settings.h"
#include "worker/sources/interrupt.h"

struct pg_conn;

#define KOMMO_TABLES     5
#define KOMMO_BEGIN_SIZE 768

struct kommo {
    struct pg_conn *conn;
    struct interrupt *interrupt;      /* not owned */
    int64_t patience_ms;              /* DB_CONNECT_TIMEOUT: for answers that need no work */
    bool is_lockable[KOMMO_TABLES];   /* which of our tables LOCK accepts, in the order of their list */
    char begin_sql[KOMMO_BEGIN_SIZE]; /* begins the transaction, with all its limits */
};

/* Connects and prepares a REPEATABLE READ, READ ONLY transaction whose zone is TZ. kommo_close must follow, whatever
 * the result. Nothing outlives the transaction, and kommo_close ends it, so a pooler in transaction mode may sit in
 * between. Connecting may take DB_CONNECT_TIMEOUT, and so may inspecting the tables and preparing. */
MUST_CHECK enum status kommo_open(struct kommo *kommo, const struct settings *settings,
                                  struct interrupt *interrupt, struct error *err);
void kommo_close(struct kommo *kommo);

/* Locks the tables against being replaced, emptied or rewritten, before the snapshot is taken: a snapshot older than
 * our lock would find nothing in a table that was refilled in between. Waits 5 s for each table that somebody else has
 * locked; STATUS_UNAVAILABLE names it. */
MUST_CHECK enum status kommo_lock(struct kommo *kommo, struct error *err);

/* The first query of the transaction takes its snapshot: start sends it, finish waits for the answer, so that the
 * other database's snapshot can be opened in between. */
MUST_CHECK enum status kommo_snapshot_start(struct kommo *kommo, struct error *err);
MUST_CHECK enum status kommo_snapshot_finish(struct kommo *kommo, struct error *err);

/* Reads all clients into *out, which the caller initialises and clears. STATUS_INVALID names a column whose type is
 * unusable, or a client that occurs twice. */
MUST_CHECK enum status kommo_read(struct kommo *kommo, struct client_rows *out, struct error *err);

/* Runs the query without fetching rows, to check that tables, columns and rights are there; *version gets the server's
 * version. */
MUST_CHECK enum status kommo_check(struct kommo *kommo, char *version, size_t version_size,
                                   struct error *err);

/* What protects the connection: "TLSv1.3", "TCP without TLS", "a Unix socket". */
const char *kommo_protection(const struct kommo *kommo);

#endif
