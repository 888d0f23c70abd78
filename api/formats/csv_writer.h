/* api/formats/csv_writer.h - tables for spreadsheets, as Excel opens them in Brazil: cells separated by semicolons,
 * decimal commas, lines ending in CR LF, UTF-8 with a byte order mark. A row's key is left out, as its fields repeat
 * it; a field may be a list of texts, but not an object.
 *
 * Text that a spreadsheet might take for a formula gets an apostrophe in front. docs/api.md says what each type looks
 * like. */
#ifndef ECOSYS_API_FORMATS_CSV_WRITER_H
#define ECOSYS_API_FORMATS_CSV_WRITER_H

#include "api/formats/writer.h"

extern const struct writer_type CSV_WRITER;

#endif
