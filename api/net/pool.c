/* api/net/pool.c - a ring of jobs under a mutex. */
#include "api/net/pool.h"

#include <stdlib.h>

#include "api/net/priority.h"

struct pool_thread {
    struct pool *pool;
    void *context;
};

/* False when the pool is stopping and nothing is left to do. */
static bool take_job(struct pool *pool, struct pool_job *out)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->count == 0 && !pool->is_stopping)
        pthread_cond_wait(&pool->changed, &pool->mutex);
    bool found = pool->count > 0;
    if (found) {
        *out = pool->queue[pool->first];
        pool->first = (pool->first + 1) % pool->capacity;
        pool->count--;
    }
    pthread_mutex_unlock(&pool->mutex);
    return found;
}

static void *run(void *context)
{
    struct pool_thread thread = *(struct pool_thread *)context;
    struct pool_job job;
    free(context);
    priority_give_way(thread.pool->share);
    while (take_job(thread.pool, &job))
        job.run(job.job, thread.context);
    return NULL;
}

static enum status start_thread(struct pool *pool, void *context, struct error *err)
{
    struct pool_thread *thread = malloc(sizeof *thread);
    if (thread == NULL)
        return error_no_memory(err);
    *thread = (struct pool_thread){pool, context};
    if (pthread_create(&pool->threads[pool->threads_count], NULL, run, thread) != 0) {
        free(thread);
        return error_set(err, STATUS_NO_MEMORY, "no thread for the pool");
    }
    pool->threads_count++;
    return STATUS_OK;
}

enum status pool_start(struct pool *pool, size_t threads_count, enum share share, void **contexts,
                       size_t queue_capacity, struct error *err)
{
    *pool = (struct pool){.share = share, .capacity = queue_capacity};
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->threads = calloc(threads_count, sizeof *pool->threads);
    pool->queue = calloc(queue_capacity, sizeof *pool->queue);
    enum status status = pool->threads != NULL && pool->queue != NULL ? STATUS_OK : error_no_memory(err);
    for (size_t i = 0; i < threads_count && status == STATUS_OK; i++)
        status = start_thread(pool, contexts != NULL ? contexts[i] : NULL, err);
    if (status != STATUS_OK)
        pool_stop(pool);
    return status;
}

void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (size_t i = 0; i < pool->threads_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->threads);
    free(pool->queue);
}

bool pool_submit(struct pool *pool, pool_run *run_job, void *job)
{
    pthread_mutex_lock(&pool->mutex);
    bool has_room = pool->count < pool->capacity;
    if (has_room) {
        pool->queue[(pool->first + pool->count) % pool->capacity] = (struct pool_job){run_job, job};
        pool->count++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->mutex);
    return has_room;
}
