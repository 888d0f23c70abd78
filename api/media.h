/* api/media.h - what answers can be written as: one table row a media type. */
#ifndef ECOSYS_API_MEDIA_H
#define ECOSYS_API_MEDIA_H

#include "api/writer.h"

enum media { MEDIA_JSON, MEDIA_MSGPACK, MEDIA_CSV, MEDIA_COUNT };

struct media_row {
    const char *type;         /* as Accept names it */
    const char *content_type; /* as answers say it */
    const char *extension;    /* of a file that it is to be saved as; NULL: it is shown */
    const struct writer_type *writer;
};

const struct media_row *media_row(enum media media);

/* Sets of media types. */
#define MEDIA_BIT(media) (1u << (media))

#endif
