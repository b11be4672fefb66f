// What libgit2 asks of libpcre2, in the image, by the C library's own regular expressions (regex(3)), which libgit2 can be built with
// as well: it looks for the names of a repository's extensions by one. libpcre2 is 0.6 MB.
#include <regex.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CASELESS = 0x8, NO_MATCH = -1, NO_MEMORY = -48, BAD = -44 };

struct matches {
    uint32_t count;
    size_t offsets[];
};

void *pcre2_compile_8(const uint8_t *pattern, size_t length, uint32_t options, int *error, size_t *offset, void *context) {
    *error = BAD, *offset = 0;
    regex_t *code = malloc(sizeof *code);
    char *text = length == ~(size_t)0 ? strdup((const char *)pattern) : strndup((const char *)pattern, length);
    int failed = !code || !text || regcomp(code, text, REG_EXTENDED | (options & CASELESS ? REG_ICASE : 0));
    free(text);
    if (!failed) return code;
    free(code);
    return NULL;
}

int pcre2_get_error_message_8(int error, uint8_t *text, size_t size) {
    static const char said[] = "not a regular expression";
    if (size) strncpy((char *)text, said, size - 1), text[size - 1] = 0;
    return (int)strlen(said);
}

void *pcre2_match_data_create_8(uint32_t count, void *context) {
    struct matches *found = calloc(1, sizeof *found + 2 * (size_t)count * sizeof(size_t));
    if (found) found->count = count;
    return found;
}

int pcre2_match_8(const void *code, const uint8_t *text, size_t length, size_t start, uint32_t options, void *data, void *context) {
    struct matches *found = data;
    regmatch_t *places = calloc(found->count ? found->count : 1, sizeof *places);
    char *copy = length == ~(size_t)0 ? strdup((const char *)text) : strndup((const char *)text, length);
    int result = !places || !copy ? NO_MEMORY : regexec(code, copy + start, found->count, places, 0) ? NO_MATCH : 0;
    for (uint32_t n = 0; result >= 0 && n < found->count; n++) {
        int is_there = places[n].rm_so >= 0;
        found->offsets[2 * n] = is_there ? start + places[n].rm_so : ~(size_t)0;
        found->offsets[2 * n + 1] = is_there ? start + places[n].rm_eo : ~(size_t)0;
        if (is_there) result = (int)n + 1;
    }
    free(places), free(copy);
    return result;
}

size_t *pcre2_get_ovector_pointer_8(void *data) { return ((struct matches *)data)->offsets; }
void pcre2_match_data_free_8(void *data) { free(data); }
void pcre2_code_free_8(void *code) {
    if (code) regfree(code);
    free(code);
}
