#ifndef SIDEKICK_GITMEMORY_H
#define SIDEKICK_GITMEMORY_H

#include <stddef.h>

// What libgit2 holds in memory, counted and bounded. Its indexer takes as much for a delta as the delta's own header says, and
// hands out no other way to stop it. In C, because its allocator is a table of C functions, which any thread calls.

/// Makes libgit2 allocate here. Before git_libgit2_init(3).
///
/// Returns what git_libgit2_opts returns.
int sidekick_memory_install(void);

/// The most bytes of one allocation and of all together; what is over either is refused, as malloc(3) does without memory.
void sidekick_memory_limit(size_t one, size_t all);

/// Bytes that are held now, as the heap counts them.
size_t sidekick_memory_held(void);

/// The size of what this thread was refused last, 0 for nothing; it is forgotten then.
size_t sidekick_memory_take_refusal(void);

/// Memory of ours that is counted and bounded in the same way; NULL beyond a limit.
void *sidekick_memory_allocate(size_t size);

/// Gives it back. NULL is nothing.
void sidekick_memory_free(void *memory);

#endif
