/* tests/unit/api_support.h - what tests of several of the API's modules need: a generation with two clients, a content,
 * and a request whose pending answers come back to the test. Whatever fails here fails the test. */
#ifndef ECOSYS_TESTS_UNIT_API_SUPPORT_H
#define ECOSYS_TESTS_UNIT_API_SUPPORT_H

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "api/data/generation.h"
#include "api/formats/representation.h"
#include "api/http/exchange.h"
#include "api/http/pending.h"
#include "api/net/mailbox.h"
#include "tests/unit/support.h"

#define DEADLINE_MS 20000 /* for anything that another thread does */
#define TAKEN_AT_MS 1741975766000

/* What a generation with the built-in model and nothing else is made from, before its index is made. */
static inline void loaded_nothing(struct loaded *loaded, uint64_t number)
{
    struct error err;
    loaded_init(loaded);
    assert_int_equal(
        scoring_model_parse(&loaded->scored.arena, scoring_model_builtin(), &loaded->scored.model, &err),
        STATUS_OK);
    loaded->manifest.generation = number;
    loaded->manifest.instants.taken_at_ms = TAKEN_AT_MS;
}

/* Of the clients 1 and 2, who joined on the days 1 and 2, without tenants; with the built-in model. Takes the stored
 * answer, unless it is NULL. */
static inline struct generation *generation_of_two_clients(uint64_t number, size_t documents_max,
                                                           const struct answer *take_stored)
{
    static struct client clients[] = {
        {.id = 2, .nome = {"Dois", 4}, .data_adesao = {2 * US_PER_DAY, TIMESTAMP_DATE}, .group = GROUP_NONE},
        {.id = 1, .nome = {"Um", 2}, .data_adesao = {US_PER_DAY, TIMESTAMP_DATE}, .group = GROUP_NONE},
    };
    struct generation *generation = NULL;
    struct loaded loaded;
    struct error err;
    loaded_nothing(&loaded, number);
    loaded.scored.clients = clients;
    loaded.scored.clients_count = sizeof clients / sizeof clients[0];
    assert_int_equal(scored_snapshot_index(&loaded.scored, &err), STATUS_OK);
    if (take_stored != NULL) {
        loaded.stored.items = calloc(1, sizeof *take_stored);
        assert_non_null(loaded.stored.items);
        loaded.stored.items[0] = *take_stored;
        loaded.stored.count = 1;
    }
    if (generation_new(&loaded, documents_max, &generation, &err) != STATUS_OK)
        fail_msg("generation_new: %s", err.message);
    return generation;
}

/* A JSON representation of so many bytes 'x'; the caller has the only reference. */
static inline struct representation *representation_of_len(size_t len)
{
    struct buffer content = BUFFER_INIT;
    struct representation *made = NULL;
    struct error err;
    while (content.len < len)
        buffer_append_char(&content, 'x');
    assert_int_equal(representation_new(&content, MEDIA_JSON, ENCODING_IDENTITY, &made, &err), STATUS_OK);
    return made;
}

/* An exchange without a connection, and the mailbox to which its pending requests are handed back. */
struct requester {
    struct mailbox mailbox;
    struct exchange exchange;
    struct mail *taken; /* out of the mailbox, but not asked for yet */
};

static inline void requester_init(struct requester *requester)
{
    struct error err;
    *requester = (struct requester){.taken = NULL};
    assert_int_equal(mailbox_init(&requester->mailbox, &err), STATUS_OK);
    requester->exchange.mailbox = &requester->mailbox;
}

/* The next pending request that was handed back, or NULL; does not wait. */
static inline struct pending *requester_find(struct requester *requester)
{
    if (requester->taken == NULL)
        requester->taken = mailbox_take(&requester->mailbox, NULL);
    struct mail *mail = requester->taken;
    if (mail == NULL)
        return NULL;
    requester->taken = mail->next;
    return pending_of_mail(mail);
}

/* Waits for it. */
static inline struct pending *requester_await(struct requester *requester)
{
    struct pollfd rung = {.fd = requester->mailbox.fd, .events = POLLIN};
    struct pending *pending = requester_find(requester);
    while (pending == NULL) {
        if (poll(&rung, 1, DEADLINE_MS) != 1)
            fail_msg("nothing was handed back within %d ms", DEADLINE_MS);
        pending = requester_find(requester);
    }
    return pending;
}

/* Nothing may be left. */
static inline void requester_clear(struct requester *requester)
{
    assert_null(requester_find(requester));
    mailbox_clear(&requester->mailbox);
}

#endif
