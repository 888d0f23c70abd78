/* api/formats/media.c - the table of media types. */
#include "api/formats/media.h"

#include "api/formats/csv_writer.h"
#include "api/formats/json_writer.h"
#include "api/formats/msgpack_writer.h"

static const struct media_row MEDIA[MEDIA_COUNT] = {
    [MEDIA_JSON] = {"application/json", "application/json", NULL, &JSON_WRITER},
    [MEDIA_MSGPACK] = {"application/msgpack", "application/msgpack", NULL, &MSGPACK_WRITER},
    [MEDIA_CSV] = {"text/csv", "text/csv; charset=utf-8", "csv", &CSV_WRITER},
};

const struct media_row *media_row(enum media media)
{
    return &MEDIA[media];
}
