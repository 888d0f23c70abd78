/* tests/fuzz/fuzz_request.c - HTTP heads, Authorization headers and lists of what a client takes from any bytes. A head
 * must be found at the same place whether it comes at once or byte by byte, what is taken must hold no control character,
 * and what is chosen must be among what is offered. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth.h"
#include "api/request.h"

static enum head_state scan_slowly(struct bytes received, size_t *head_len)
{
    enum head_state state = HEAD_INCOMPLETE;
    size_t scanned = 0;
    for (size_t len = 1; len <= received.len && state == HEAD_INCOMPLETE; len++)
        state = request_scan_head((struct bytes){received.data, len}, &scanned, head_len);
    return state;
}

static void check_clean(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < ' ' && text.data[i] != '\t')
            abort();
}

static void check_list(struct bytes list)
{
    const char *end = list.data + list.len;
    struct accept_item item;
    while (accept_next(&list, &item))
        if (item.weight > WEIGHT_MAX || item.name.len > (size_t)(end - item.name.data))
            abort();
}

static void check_choices(const struct accept *accept)
{
    for (unsigned offered = 1; offered < 1u << MEDIA_COUNT; offered++)
        if ((MEDIA_BIT(accept_choose(accept, offered)) & offered) == 0)
            abort();
}

static void parse(struct bytes head)
{
    static const struct auth_user user = {{"admin", 5}, {"admin123", 8}};
    static const struct auth auth = {&user, 1};
    struct buffer value = BUFFER_INIT;
    struct request request;
    const char *problem;
    if (!request_parse_head(head, &request, &problem))
        return;
    check_clean(request.path);
    check_clean(request.query);
    check_clean(request.authorization);
    check_choices(&request.accept);
    (void)request_encoding(&request);
    (void)auth_check(&auth, request.authorization);
    (void)request_parameter(&request, "data_adesao_inicio", &value);
    buffer_clear(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes received = {(const char *)data, size};
    size_t scanned = 0, len = 0, slow_len = 0;
    enum head_state state = request_scan_head(received, &scanned, &len);
    check_list(received);
    if (scan_slowly(received, &slow_len) != state || (state == HEAD_COMPLETE && len != slow_len))
        abort();
    if (state == HEAD_COMPLETE)
        parse((struct bytes){received.data, len});
    return 0;
}
