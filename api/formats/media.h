/* api/formats/media.h - the media types of answers: a table with a row for each. */
#ifndef ECOSYS_API_FORMATS_MEDIA_H
#define ECOSYS_API_FORMATS_MEDIA_H

#include "api/formats/writer.h"

/* Of several that a client wants equally, the first is sent. */
enum media { MEDIA_JSON, MEDIA_MSGPACK, MEDIA_CSV, MEDIA_COUNT };

struct media_row {
    const char *type;         /* as Accept names it */
    const char *content_type; /* as sent in answers */
    const char *extension;    /* of the file to save it as; NULL: it is not a download */
    const struct writer_type *writer;
};

const struct media_row *media_row(enum media media);

/* Sets of media types. */
#define MEDIA_BIT(media) (1u << (media))

#endif
