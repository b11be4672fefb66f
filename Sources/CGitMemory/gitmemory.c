#include "gitmemory.h"

#include <git2.h>
#include <git2/sys/alloc.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Declared in git2/errors.h or in git2/sys/errors.h, by the version.
extern void git_error_set_oom(void);

static _Atomic size_t most_of_one = SIZE_MAX, most_of_all = SIZE_MAX, held;
static _Thread_local size_t refusal;

void sidekick_memory_limit(size_t one, size_t all) {
    atomic_store(&most_of_one, one);
    atomic_store(&most_of_all, all);
}

size_t sidekick_memory_held(void) { return atomic_load(&held); }

size_t sidekick_memory_take_refusal(void) {
    size_t size = refusal;
    refusal = 0;
    return size;
}

static void *refuse(size_t size) {
    refusal = size;
    git_error_set_oom();
    return NULL;
}

/// Counts `size` bytes in the place of `before`; 0 when that is too much.
static int admit(size_t size, size_t before) {
    if (size > atomic_load_explicit(&most_of_one, memory_order_relaxed)) return 0;
    size_t now = atomic_fetch_add(&held, size - before) + (size - before);
    if (size <= before || now <= atomic_load_explicit(&most_of_all, memory_order_relaxed)) return 1;
    atomic_fetch_sub(&held, size - before);
    return 0;
}

/// Frees are counted by what the heap gave, so that must be counted as well.
static void *settle(void *memory, size_t counted) {
    if (memory) atomic_fetch_add(&held, malloc_usable_size(memory) - counted);
    else atomic_fetch_sub(&held, counted);
    return memory;
}

static void *take(size_t size, const char *file, int line) {
    (void)file, (void)line;
    if (!admit(size, 0)) return refuse(size);
    void *memory = settle(malloc(size), size);
    return memory ? memory : refuse(size);
}

static void *retake(void *old, size_t size, const char *file, int line) {
    if (!old) return take(size, file, line);
    size_t before = malloc_usable_size(old);
    if (!admit(size, before)) return refuse(size);
    void *memory = realloc(old, size);
    if (!memory && size > 0) {
        atomic_fetch_sub(&held, size - before);
        return refuse(size);
    }
    return settle(memory, size);
}

static void give(void *memory) {
    if (!memory) return;
    atomic_fetch_sub(&held, malloc_usable_size(memory));
    free(memory);
}

void *sidekick_memory_allocate(size_t size) { return take(size, __FILE__, __LINE__); }

void sidekick_memory_free(void *memory) { give(memory); }

#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 6

static size_t product(size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

static void *take_zeroed(size_t count, size_t size, const char *file, int line) {
    size_t bytes = product(count, size);
    if (!admit(bytes, 0)) return refuse(bytes);
    void *memory = settle(calloc(1, bytes), bytes);
    return memory ? memory : refuse(bytes);
}

static void *take_array(size_t count, size_t size, const char *file, int line) {
    return take(product(count, size), file, line);
}

static void *retake_array(void *old, size_t count, size_t size, const char *file, int line) {
    return retake(old, product(count, size), file, line);
}

static char *copy_bytes(const char *text, size_t size, const char *file, int line) {
    if (size == SIZE_MAX) return refuse(size);
    char *copy = take(size + 1, file, line);
    if (!copy) return NULL;
    memcpy(copy, text, size);
    copy[size] = 0;
    return copy;
}

static char *copy_text(const char *text, const char *file, int line) {
    return copy_bytes(text, strlen(text), file, line);
}

static char *copy_some(const char *text, size_t most, const char *file, int line) {
    return copy_bytes(text, strnlen(text, most), file, line);
}

static git_allocator allocator = {
    take, take_zeroed, copy_text, copy_some, copy_bytes, retake, retake_array, take_array, give,
};

#else

static git_allocator allocator = {take, retake, give};

#endif

int sidekick_memory_install(void) { return git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator); }
