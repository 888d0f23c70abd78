/* tests/fuzz/replay.c - runs a fuzzer's inputs once, in place of libFuzzer: for builds that have none, and as the test
 * that every seed and every crash that was ever found still passes. */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

static int replay_file(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    size_t size = (size_t)status.st_size;
    uint8_t *data =
        malloc(size + 1); /* never NULL for an empty file; and of the exact size but for one byte */
    size_t read = data != NULL ? fread(data, 1, size, file) : 0;
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last one is the one that failed */
    if (data != NULL && read == size)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return data != NULL && read == size ? 1 : -1;
}

/* How many files it was; below 0 when one could not be read. */
static int replay_folder(const char *path)
{
    char name[4096];
    int count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return -1;
    }
    for (const struct dirent *entry; count >= 0 && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count = replay_file(name) < 0 ? -1 : count + 1;
    }
    closedir(folder);
    return count;
}

int main(int count, char **words)
{
    int replayed = count == 2 ? replay_folder(words[1]) : -1;
    if (replayed > 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "%s: takes a folder with inputs\n", words[0]);
    return EXIT_FAILURE;
}
