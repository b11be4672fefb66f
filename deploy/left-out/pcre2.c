// What libgit2 asks of libpcre2, in the image: a pattern in the names of a configuration, or in a message that is searched. The program
// asks for neither; whoever does is told that there are none.
#include <stddef.h>
#include <stdint.h>

void *pcre2_compile_8(const uint8_t *pattern, size_t length, uint32_t options, int *error, size_t *offset, void *context) {
    return *error = -44, *offset = 0, NULL; // PCRE2_ERROR_INTERNAL
}
int pcre2_get_error_message_8(int error, uint8_t *text, size_t size) {
    static const char said[] = "patterns are left out of this program";
    size_t length = 0;
    for (; length + 1 < size && said[length]; length++) text[length] = said[length];
    if (size) text[length] = 0;
    return (int)length;
}
void *pcre2_match_data_create_8(uint32_t size, void *context) { return NULL; }
int pcre2_match_8(const void *code, const uint8_t *text, size_t length, size_t start, uint32_t options, void *data, void *context) {
    return -44;
}
size_t *pcre2_get_ovector_pointer_8(void *data) { return NULL; }
void pcre2_match_data_free_8(void *data) {}
void pcre2_code_free_8(void *code) {}
