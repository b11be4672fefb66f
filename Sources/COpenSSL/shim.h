// Digests whose state is a value, as OpenSSL 1.1 has them: nothing to be allocated, fetched or freed for each of many files.
#define OPENSSL_API_COMPAT 10100
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
