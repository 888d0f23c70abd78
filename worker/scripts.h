/* worker/scripts.h - the scripts that Redis runs for the worker, from schemas/redis/, where each says what it takes and
 * returns. Without their comments, as EVAL sends the whole text each time. Static memory; any thread. */
#ifndef ECOSYS_WORKER_SCRIPTS_H
#define ECOSYS_WORKER_SCRIPTS_H

#include "common/base/bytes.h"

struct bytes script_take_lease(void);
struct bytes script_release_lease(void);
struct bytes script_reserve_generation(void);
struct bytes script_write_key(void);
struct bytes script_flip(void);
struct bytes script_retire_generation(void);

#endif
