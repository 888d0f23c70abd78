/* worker/requests.c - a ring of remembered requests, and the messages about them. */
#include "worker/requests.h"

#include <stdlib.h>
#include <string.h>

#include "common/program/log.h"

#define IDS_IN_MESSAGE 64

enum status requests_init(struct requests *requests, const struct settings *settings, struct redis_link *link,
                          struct error *err)
{
    *requests = (struct requests){.link = link};
    redis_link_init(&requests->subscription, &settings->redis, settings->redis_timeout_ms);
    requests->events = redis_name_events(settings->redis_prefix, settings->redis.db);
    requests->inbox = redis_name_requests(settings->redis_prefix, settings->redis.db);
    requests->entries = calloc(REQUESTS_MAX, sizeof *requests->entries);
    return requests->entries != NULL ? STATUS_OK : error_no_memory(err);
}

void requests_clear(struct requests *requests)
{
    redis_link_close(&requests->subscription);
    free(requests->entries);
}

void requests_listen(struct requests *requests)
{
    struct error err;
    bool is_deaf = redis_link_fd(&requests->subscription) < 0 &&
                   redis_link_subscribe(&requests->subscription, requests->inbox.text, &err) != STATUS_OK;
    if (is_deaf && !requests->is_deaf)
        log_write(LOG_ERROR, "requests cannot be heard", LOG_FIELDS(log_text("error", err.message)));
    requests->is_deaf = is_deaf;
}

void requests_stop_listening(struct requests *requests)
{
    redis_link_close(&requests->subscription);
}

int requests_fd(const struct requests *requests)
{
    return redis_link_fd(&requests->subscription);
}

static struct request_entry *entry_at(const struct requests *requests, size_t i)
{
    return &requests->entries[(requests->first + i) % REQUESTS_MAX];
}

static struct request_entry *find(const struct requests *requests, const struct request_id *id)
{
    for (size_t i = requests->count; i-- > 0;)
        if (strcmp(entry_at(requests, i)->id.text, id->text) == 0)
            return entry_at(requests, i);
    return NULL;
}

/* The beginning of a message about requests in the entry's state. */
static void begin_message(const struct request_entry *entry, struct buffer *out)
{
    static const enum message_kind kinds[] = {[REQUEST_WAITING] = MESSAGE_QUEUED,
                                              [REQUEST_RUNNING] = MESSAGE_STARTED,
                                              [REQUEST_PUBLISHED] = MESSAGE_PUBLISHED,
                                              [REQUEST_FAILED] = MESSAGE_FAILED};
    buffer_reset(out);
    message_begin(kinds[entry->state], out);
    if (entry->state == REQUEST_PUBLISHED)
        message_add_number(out, entry->generation);
    if (entry->state == REQUEST_FAILED)
        message_add_word(out, entry->word);
}

/* A lost message does no harm: the request is repeated. */
static void say(struct requests *requests, const struct buffer *message)
{
    struct error err;
    if (redis_link_publish(requests->link, requests->events.text, buffer_bytes(message), NULL, &err) !=
        STATUS_OK)
        log_write(LOG_DEBUG, "nobody could be told", LOG_FIELDS(log_text("error", err.message)));
}

static void say_one(struct requests *requests, const struct request_entry *entry)
{
    struct buffer message = BUFFER_INIT;
    begin_message(entry, &message);
    message_add_word(&message, entry->id.text);
    say(requests, &message);
    buffer_clear(&message);
}

/* Moves all requests from one state to another and says so, a limited number of ids per message. */
static void change_all(struct requests *requests, enum request_state from, const struct request_entry *to)
{
    struct buffer message = BUFFER_INIT;
    size_t ids = 0;
    for (size_t i = 0; i < requests->count; i++) {
        struct request_entry *entry = entry_at(requests, i);
        if (entry->state != from)
            continue;
        entry->state = to->state;
        entry->generation = to->generation;
        entry->word = to->word;
        if (ids == 0)
            begin_message(entry, &message);
        message_add_word(&message, entry->id.text);
        if (++ids < IDS_IN_MESSAGE)
            continue;
        say(requests, &message);
        ids = 0;
    }
    if (ids > 0)
        say(requests, &message);
    buffer_clear(&message);
}

/* The oldest one makes room if its refresh has ended; otherwise the new one is not accepted, and will be repeated. */
static struct request_entry *add(struct requests *requests, const struct request_id *id)
{
    if (requests->count == REQUESTS_MAX) {
        enum request_state oldest = entry_at(requests, 0)->state;
        if (oldest == REQUEST_WAITING || oldest == REQUEST_RUNNING)
            return NULL;
        requests->first = (requests->first + 1) % REQUESTS_MAX;
        requests->count--;
    }
    struct request_entry *entry = entry_at(requests, requests->count++);
    *entry = (struct request_entry){.id = *id, .state = REQUEST_WAITING};
    return entry;
}

static void take_refresh(struct requests *requests, struct message *message)
{
    struct request_id id;
    while (message_next_id(message, &id)) {
        struct request_entry *entry = find(requests, &id);
        if (entry == NULL)
            entry = add(requests, &id);
        if (entry != NULL)
            say_one(requests, entry);
    }
}

enum status requests_take(struct requests *requests, struct error *err)
{
    struct bytes text;
    if (redis_link_read(&requests->subscription, err) != STATUS_OK)
        return err->code;
    for (;;) {
        if (redis_link_next_message(&requests->subscription, &text, err) != STATUS_OK)
            return err->code;
        if (text.data == NULL)
            return STATUS_OK;
        struct message message = message_parse(text);
        struct date_filter filter;
        uint64_t count;
        if (message.kind == MESSAGE_REFRESH)
            take_refresh(requests, &message);
        while (message.kind == MESSAGE_POPULARITY && message_next_popular(&message, &filter, &count))
            popularity_add(&requests->popularity, filter, count);
    }
}

bool requests_are_waiting(const struct requests *requests)
{
    for (size_t i = 0; i < requests->count; i++)
        if (entry_at(requests, i)->state == REQUEST_WAITING)
            return true;
    return false;
}

size_t requests_begin(struct requests *requests, struct date_filter *popular, size_t popular_max)
{
    const struct request_entry running = {.state = REQUEST_RUNNING};
    size_t count = popularity_top(&requests->popularity, popular_max);
    for (size_t i = 0; i < count; i++)
        popular[i] = requests->popularity.items[i].filter;
    requests->in_refresh = requests->popularity;
    requests->popularity.count = 0;
    change_all(requests, REQUEST_WAITING, &running);
    return count;
}

static void give_popularity_back(struct requests *requests)
{
    const struct popularity *taken = &requests->in_refresh;
    for (size_t i = 0; i < taken->count; i++)
        popularity_add(&requests->popularity, taken->items[i].filter, taken->items[i].count);
    requests->in_refresh.count = 0;
}

void requests_end(struct requests *requests, uint64_t generation, const char *word)
{
    const struct request_entry over = {
        .state = word == NULL ? REQUEST_PUBLISHED : REQUEST_FAILED, .generation = generation, .word = word};
    change_all(requests, REQUEST_RUNNING, &over);
    if (word != NULL)
        give_popularity_back(requests);
    requests->in_refresh.count = 0;
}

void requests_requeue(struct requests *requests)
{
    const struct request_entry waiting = {.state = REQUEST_WAITING};
    change_all(requests, REQUEST_RUNNING, &waiting);
    give_popularity_back(requests);
}

void requests_give_up(struct requests *requests, const char *word)
{
    const struct request_entry over = {.state = REQUEST_FAILED, .word = word};
    change_all(requests, REQUEST_WAITING, &over);
}

void requests_forget(struct requests *requests)
{
    requests->count = 0;
}
