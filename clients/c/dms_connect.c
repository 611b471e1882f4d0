/*
 * Implementation of dms_connect.h.
 *
 * Invariants
 * - Before the broker has proved that it holds the key, nothing is sent but the client id and a nonce, and nothing of what
 *   it says is shown to a person.
 * - Whatever arrives is bounded in length and depth, and checked as UTF-8 and JSON, before any of it is used.
 * - Every wait has a deadline, and what comes without a pause has a bound.
 * - Memory that held a key or a token is wiped before it is freed or reused.
 *
 * Parts, each of which uses only those before it; search for "----":
 *   memory · SHA-256 and HMAC · base64url · UTF-8 · reading JSON · writing JSON      know nothing of the rest
 *   system: Windows, Unix, both        clock, random numbers, pipe, user, files; the only part that differs by platform
 *   pipe name                          where the broker listens
 *   session                            its state, its failures, connecting
 *   messages                           one line each way; which answer belongs to which request
 *   proof                              docs/pipe-protocol.md, "Session" and "Proof"
 *   calls                              a request with everything around it: proving, connecting again, texts, tokens
 *   public functions                   dms_connect.h, in its order
 *   self-test
 */
#if !defined(_WIN32)
#define _GNU_SOURCE /* SO_PEERCRED, getentropy */
#define _DARWIN_C_SOURCE
#else
#define _CRT_SECURE_NO_WARNINGS
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0600 /* CancelIoEx, GetTickCount64: Windows Vista */
#define WIN32_LEAN_AND_MEAN
#endif

#include "dms_connect.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
/* windows.h has to come first. */
#include <bcrypt.h>
#include <sddl.h>
#if defined(_MSC_VER)
#pragma comment(lib, "advapi32")
#pragma comment(lib, "bcrypt")
#endif
#else
#include <fcntl.h>
#include <poll.h>
#if !defined(DMS_CONNECT_STATIC)
#include <pwd.h>
#endif
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif
#endif

/* Bounds of docs/pipe-protocol.md, "Limits". */
#define MAX_REQUEST ((size_t)65536)
#define MAX_ANSWER ((size_t)65536)
#define MAX_LIST_ANSWER ((size_t)8 * 1024 * 1024)
/* Deeper than any answer of the protocol, and shallow enough for any stack. */
#define MAX_DEPTH 32
/* Empty lines, notifications and answers to nobody. This library asks for none of them. Bounded in bytes too: a flood that
 * never pauses meets no wait, and so no deadline. */
#define MAX_IGNORED_LINES 1000
#define MAX_IGNORED_BYTES MAX_LIST_ANSWER
/* "Wait at least 60 seconds", where a provider may be asked. */
#define DEFAULT_TIMEOUT_MS 75000
/* Everything else, the proofs too. */
#define QUICK_TIMEOUT_MS 10000
/* Whatever the other side says: nobody looks at a code for longer. */
#define LONGEST_PAIRING_S 3600
/* credentials.json and broker.json have a few hundred bytes. */
#define MAX_FILE ((size_t)65536)
#define FILE_PIECE 2048
#define KEY_BYTES 32
#define KEY_TEXT 43
#define MAX_CLIENT_ID 128

/* ---------------------------------------------------------------- memory */

/* A compiler may drop a memset before free; it may not drop calls through a volatile pointer. */
static void *(*const volatile fill)(void *, int, size_t) = memset;

static void wipe(void *memory, size_t size) {
  if (size > 0) fill(memory, 0, size);
}

/** Whether two blocks are equal, in a time that does not tell where they differ. */
static bool equal_in_constant_time(const uint8_t *a, const uint8_t *b, size_t size) {
  volatile uint8_t difference = 0;
  for (size_t i = 0; i < size; i++) difference = (uint8_t)(difference | (a[i] ^ b[i]));
  return difference == 0;
}

/** A growing text, always ended by a zero byte once it has memory. `failed`: memory ran out; the text is then unusable. */
struct text {
  char *data;
  size_t length;
  size_t capacity;
  bool failed;
};

static const char *text_of(const struct text *text) {
  return text->data == NULL || text->failed ? "" : text->data;
}

static void text_clear(struct text *text) {
  if (text->data != NULL) wipe(text->data, text->length);
  text->length = 0;
  text->failed = false;
}

static void text_free(struct text *text) {
  text_clear(text);
  free(text->data);
  text->data = NULL;
  text->capacity = 0;
}

/** Makes room for `more` bytes and a zero byte. Not realloc: that could leave a copy of a secret behind. */
static bool text_reserve(struct text *text, size_t more) {
  size_t needed = text->length + more + 1;
  if (text->failed) return false;
  if (needed <= text->capacity) return true;
  size_t capacity = text->capacity < 128 ? 256 : text->capacity * 2;
  if (capacity < needed) capacity = needed;
  char *data = malloc(capacity);
  if (data == NULL) {
    text->failed = true;
    return false;
  }
  if (text->data != NULL) {
    memcpy(data, text->data, text->length);
    wipe(text->data, text->length);
    free(text->data);
  }
  data[text->length] = '\0';
  text->data = data;
  text->capacity = capacity;
  return true;
}

static void text_append(struct text *text, const char *bytes, size_t size) {
  if (!text_reserve(text, size)) return;
  memcpy(text->data + text->length, bytes, size);
  text->length += size;
  text->data[text->length] = '\0';
}

static void text_add(struct text *text, const char *words) {
  text_append(text, words, strlen(words));
}

static void text_add_number(struct text *text, int64_t number) {
  char digits[24];
  snprintf(digits, sizeof digits, "%lld", (long long)number);
  text_add(text, digits);
}

/* ---------------------------------------------------------------- SHA-256 (FIPS 180-4) and HMAC (RFC 2104) */

struct sha256 {
  uint32_t state[8];
  uint8_t block[64];
  uint64_t length;
};

static const uint32_t sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t word, unsigned bits) {
  return (word >> bits) | (word << (32 - bits));
}

static void sha256_start(struct sha256 *hash) {
  static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(hash->state, initial, sizeof initial);
  hash->length = 0;
}

static void sha256_block(struct sha256 *hash) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)hash->block[4 * i] << 24 | (uint32_t)hash->block[4 * i + 1] << 16 | (uint32_t)hash->block[4 * i + 2] << 8 |
           (uint32_t)hash->block[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    uint32_t low = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
    uint32_t high = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + low + w[i - 7] + high;
  }
  memcpy(s, hash->state, sizeof s);
  for (int i = 0; i < 64; i++) {
    uint32_t sum1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
    uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    uint32_t first = s[7] + sum1 + choice + sha256_constants[i] + w[i];
    uint32_t sum0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
    uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    memmove(s + 1, s, 7 * sizeof s[0]);
    s[4] += first;
    s[0] = first + sum0 + majority;
  }
  for (int i = 0; i < 8; i++) hash->state[i] += s[i];
  wipe(w, sizeof w);
  wipe(s, sizeof s);
}

static void sha256_add(struct sha256 *hash, const void *data, size_t size) {
  const uint8_t *bytes = data;
  for (size_t i = 0; i < size; i++) {
    hash->block[hash->length % 64] = bytes[i];
    hash->length++;
    if (hash->length % 64 == 0) sha256_block(hash);
  }
}

static void sha256_end(struct sha256 *hash, uint8_t digest[32]) {
  static const uint8_t one_bit = 0x80, zero = 0;
  uint64_t bits = hash->length * 8;
  uint8_t length[8];
  sha256_add(hash, &one_bit, 1);
  while (hash->length % 64 != 56) sha256_add(hash, &zero, 1);
  for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
  sha256_add(hash, length, sizeof length);
  for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
  wipe(hash, sizeof *hash);
}

struct hmac {
  struct sha256 inner;
  uint8_t outer_pad[64];
};

/** `size`: at most 64, which is all that is needed here. */
static void hmac_start(struct hmac *hmac, const uint8_t *key, size_t size) {
  uint8_t inner_pad[64];
  for (size_t i = 0; i < 64; i++) {
    uint8_t byte = i < size ? key[i] : 0;
    inner_pad[i] = byte ^ 0x36;
    hmac->outer_pad[i] = byte ^ 0x5c;
  }
  sha256_start(&hmac->inner);
  sha256_add(&hmac->inner, inner_pad, sizeof inner_pad);
  wipe(inner_pad, sizeof inner_pad);
}

static void hmac_end(struct hmac *hmac, uint8_t digest[32]) {
  struct sha256 outer;
  sha256_end(&hmac->inner, digest);
  sha256_start(&outer);
  sha256_add(&outer, hmac->outer_pad, sizeof hmac->outer_pad);
  sha256_add(&outer, digest, 32);
  sha256_end(&outer, digest);
  wipe(hmac, sizeof *hmac);
}

/* ---------------------------------------------------------------- base64url without padding (RFC 4648 section 5), of 32 bytes */

static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void base64url_encode(const uint8_t bytes[KEY_BYTES], char text[KEY_TEXT + 1]) {
  uint32_t bits = 0;
  int count = 0;
  char *out = text;
  for (int i = 0; i < KEY_BYTES; i++) {
    bits = bits << 8 | bytes[i];
    for (count += 8; count >= 6;) {
      count -= 6;
      *out++ = base64url_digits[bits >> count & 63];
    }
  }
  *out++ = base64url_digits[bits << (6 - count) & 63];
  *out = '\0';
}

static int base64url_digit(char digit) {
  if (digit >= 'A' && digit <= 'Z') return digit - 'A';
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9') return digit - '0' + 52;
  if (digit == '-') return 62;
  return digit == '_' ? 63 : -1;
}

/** False if `text` is not what base64url_encode makes of 32 bytes: 43 digits, the last two bits 0. */
static bool base64url_decode(const char *text, uint8_t bytes[KEY_BYTES]) {
  uint32_t bits = 0;
  int count = 0;
  size_t made = 0;
  if (strlen(text) != KEY_TEXT) return false;
  for (int i = 0; i < KEY_TEXT; i++) {
    int digit = base64url_digit(text[i]);
    if (digit < 0) return false;
    bits = bits << 6 | (uint32_t)digit;
    count += 6;
    if (count >= 8 && made < KEY_BYTES) {
      count -= 8;
      bytes[made++] = (uint8_t)(bits >> count);
    }
  }
  return made == KEY_BYTES && (bits & 3) == 0;
}

/* ---------------------------------------------------------------- UTF-8 (RFC 3629) */

/** Length of the well-formed character at `p`; 0 if there is none. */
static size_t utf8_length(const char *p, const char *end) {
  const uint8_t *s = (const uint8_t *)p;
  size_t left = (size_t)(end - p);
  if (left == 0) return 0;
  if (s[0] < 0x80) return 1;
  size_t length = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : s[0] >= 0xe0 && s[0] <= 0xef ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
  if (length == 0 || left < length) return 0;
  for (size_t i = 1; i < length; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  /* Longer than need be, a surrogate, beyond U+10FFFF. */
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
  return length;
}

static bool is_utf8(const char *text) {
  const char *end = text + strlen(text);
  while (text < end) {
    size_t length = utf8_length(text, end);
    if (length == 0) return false;
    text += length;
  }
  return true;
}

/** Of the well-formed character of `length` bytes at `p`. */
static uint32_t utf8_code_point(const char *p, size_t length) {
  static const uint8_t mask[5] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t code = (uint8_t)p[0] & mask[length];
  for (size_t i = 1; i < length; i++) code = code << 6 | ((uint8_t)p[i] & 0x3f);
  return code;
}

static void text_add_code_point(struct text *text, uint32_t code) {
  char bytes[4];
  size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const uint8_t first[5] = {0, 0x00, 0xc0, 0xe0, 0xf0};
  for (size_t i = size; i-- > 1; code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3f));
  bytes[0] = (char)(first[size] | code);
  text_append(text, bytes, size);
}

/* ---------------------------------------------------------------- reading JSON (RFC 8259) */

/** A part of a received message. */
struct view {
  const char *start;
  const char *end;
};

static const char *skip_space(const char *p, const char *end) {
  while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) p++;
  return p;
}

static int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/** The four digits after `\u`; -1 if there are none. */
static int32_t hex_word(const char *p, const char *end) {
  int32_t word = 0;
  if (end - p < 4) return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    word = word * 16 + digit;
  }
  return word;
}

/* Each skip function returns the place after what it skipped, or NULL if it is not there or not well-formed. */

/** How many characters from `p` on stand for themselves in a string: printable ASCII, no quote, no backslash. Tokens are nothing else. */
static size_t plain_length(const char *p, const char *end) {
  static const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
  const char *s = p;
  /* Eight at a time; the high bit of a byte comes out set where the byte is zero (or follows one, which is only cautious). */
  for (uint64_t word; end - s >= 8; s += 8) {
    memcpy(&word, s, 8);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    uint64_t odd = word | ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    if ((odd & highs) != 0) break;
  }
  while (s < end && *s >= 0x20 && (uint8_t)*s < 0x80 && *s != '"' && *s != '\\') s++;
  return (size_t)(s - p);
}

static const char *skip_string(const char *p, const char *end) {
  if (p >= end || *p != '"') return NULL;
  for (p++; p < end && *p != '"';) {
    size_t plain = plain_length(p, end);
    p += plain;
    if (plain != 0) continue;
    if ((uint8_t)*p < 0x20) return NULL;
    if (*p == '\\') {
      p++;
      if (p >= end || *p == '\0' || strchr("\"\\/bfnrtu", *p) == NULL) return NULL;
      if (*p == 'u' && hex_word(p + 1, end) < 0) return NULL;
      p += *p == 'u' ? 5 : 1;
    } else {
      size_t length = utf8_length(p, end);
      if (length == 0) return NULL;
      p += length;
    }
  }
  return p < end ? p + 1 : NULL;
}

static const char *skip_digits(const char *p, const char *end) {
  const char *start = p;
  while (p < end && *p >= '0' && *p <= '9') p++;
  return p > start ? p : NULL;
}

static const char *skip_number(const char *p, const char *end) {
  if (p < end && *p == '-') p++;
  if (p < end && *p == '0') p++;
  else p = skip_digits(p, end);
  if (p != NULL && p < end && *p == '.') p = skip_digits(p + 1, end);
  if (p == NULL || p >= end || (*p != 'e' && *p != 'E')) return p;
  p++;
  if (p < end && (*p == '+' || *p == '-')) p++;
  return skip_digits(p, end);
}

static const char *skip_word(const char *p, const char *end, const char *word) {
  size_t length = strlen(word);
  return (size_t)(end - p) >= length && memcmp(p, word, length) == 0 ? p + length : NULL;
}

static const char *skip_value(const char *p, const char *end, int depth);

/** From the opening bracket of an object or array to after its closing one. */
static const char *skip_members(const char *p, const char *end, int depth) {
  char close = *p == '{' ? '}' : ']';
  if (depth <= 0) return NULL;
  p = skip_space(p + 1, end);
  if (p < end && *p == close) return p + 1;
  for (;;) {
    if (close == '}') {
      p = skip_string(p, end);
      if (p == NULL) return NULL;
      p = skip_space(p, end);
      if (p >= end || *p != ':') return NULL;
      p = skip_space(p + 1, end);
    }
    p = skip_value(p, end, depth - 1);
    if (p == NULL) return NULL;
    p = skip_space(p, end);
    if (p >= end) return NULL;
    if (*p == close) return p + 1;
    if (*p != ',') return NULL;
    p = skip_space(p + 1, end);
  }
}

static const char *skip_value(const char *p, const char *end, int depth) {
  if (p >= end) return NULL;
  switch (*p) {
    case '{':
    case '[':
      return skip_members(p, end, depth);
    case '"':
      return skip_string(p, end);
    case 't':
      return skip_word(p, end, "true");
    case 'f':
      return skip_word(p, end, "false");
    case 'n':
      return skip_word(p, end, "null");
    default:
      return skip_number(p, end);
  }
}

/** Checks a whole text, its depth and its UTF-8; narrows `text` to the value without space around it. */
static bool json_check(struct view *text) {
  const char *start = skip_space(text->start, text->end);
  const char *after = skip_value(start, text->end, MAX_DEPTH);
  if (after == NULL || skip_space(after, text->end) != text->end) return false;
  text->start = start;
  text->end = after;
  return true;
}

static bool json_is_object(struct view value) {
  return value.start < value.end && *value.start == '{';
}

/** Walks through an object's members. Start with `at` on the object's start. False after the last one. */
static bool json_next_member(struct view object, const char **at, struct view *name, struct view *value) {
  const char *p = skip_space(*at + 1, object.end);
  if (p >= object.end || *p == '}') return false;
  name->start = p;
  name->end = skip_string(p, object.end);
  if (name->end == NULL) return false;
  /* The object was checked: after the name comes a colon. */
  value->start = skip_space(skip_space(name->end, object.end) + 1, object.end);
  value->end = skip_value(value->start, object.end, MAX_DEPTH);
  if (value->end == NULL) return false;
  *at = skip_space(value->end, object.end);
  return true;
}

/** The character or escape at `p`, inside a checked string. -1 for half a surrogate pair. */
static int32_t json_character(const char **p, const char *end) {
  const char *s = *p;
  if (*s != '\\') {
    size_t length = utf8_length(s, end);
    *p = s + (length == 0 ? 1 : length);
    return length == 0 ? -1 : (int32_t)utf8_code_point(s, length);
  }
  *p = s + (s[1] == 'u' ? 6 : 2);
  if (s[1] != 'u') {
    static const char letters[] = "bfnrt", codes[] = "\b\f\n\r\t";
    const char *letter = strchr(letters, s[1]);
    return letter == NULL ? s[1] : codes[letter - letters];
  }
  int32_t high = hex_word(s + 2, end);
  if (high < 0xd800 || high > 0xdfff) return high;
  int32_t low = high <= 0xdbff && end - s >= 8 && s[6] == '\\' && s[7] == 'u' ? hex_word(s + 8, end) : -1;
  if (low < 0xdc00 || low > 0xdfff) return -1;
  *p = s + 12;
  return 0x10000 + (high - 0xd800) * 0x400 + (low - 0xdc00);
}

/** Whether a checked string says `words` (ASCII). */
static bool json_is_text(struct view value, const char *words) {
  if (value.end - value.start < 2 || *value.start != '"') return false;
  const char *p = value.start + 1, *end = value.end - 1;
  while (p < end && *words != '\0')
    if (json_character(&p, end) != *words++) return false;
  return p == end && *words == '\0';
}

/** The member `name` of a checked object, the last one if there are several; false, and `value` as it was, if there is none. */
static bool json_member(struct view object, const char *name, struct view *value) {
  struct view found_name, found;
  const char *at = object.start;
  bool is_there = false;
  if (!json_is_object(object)) return false;
  while (json_next_member(object, &at, &found_name, &found)) {
    if (!json_is_text(found_name, name)) continue;
    *value = found;
    is_there = true;
  }
  return is_there;
}

/** The element at `position` of a checked array; false if it has no such element. */
static bool json_element(struct view array, size_t position, struct view *value) {
  const char *p = skip_space(array.start + 1, array.end);
  while (p < array.end && *p != ']') {
    struct view found = {p, skip_value(p, array.end, MAX_DEPTH)};
    if (found.end == NULL) return false;
    if (position-- == 0) {
      *value = found;
      return true;
    }
    p = skip_space(found.end, array.end);
    if (p < array.end && *p == ',') p = skip_space(p + 1, array.end);
  }
  return false;
}

/** The value at a path such as "connections/0/state" below a checked value. */
static bool json_at_path(struct view *value, const char *path) {
  while (*path != '\0') {
    char step[64];
    size_t length = strcspn(path, "/");
    if (length == 0 || length >= sizeof step) return false;
    memcpy(step, path, length);
    step[length] = '\0';
    if (*value->start == '[') {
      if (length > 7 || strspn(step, "0123456789") != length || !json_element(*value, (size_t)atoi(step), value)) return false;
    } else if (!json_member(*value, step, value)) return false;
    path += length;
    if (*path == '/') path++;
  }
  return true;
}

/** Appends a checked string. False if it is none, or cannot be a C text: U+0000, half a surrogate pair. */
static bool json_text(struct view value, struct text *text) {
  if (value.end - value.start < 2 || *value.start != '"') return false;
  for (const char *p = value.start + 1, *end = value.end - 1; p < end;) {
    size_t plain = plain_length(p, end);
    text_append(text, p, plain);
    p += plain;
    if (p == end) break;
    int32_t code = json_character(&p, end);
    if (code <= 0) return false;
    text_add_code_point(text, (uint32_t)code);
  }
  return text_reserve(text, 0);
}

/** What stands after the `e` of a checked number; 0 if there is none. Cut at 100,000, where every number is 0 or too large. */
static int64_t json_exponent(const char *p, const char *end) {
  int64_t exponent = 0;
  bool negative;
  if (p < end) p++;
  negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  for (; p < end && exponent < 100000; p++) exponent = exponent * 10 + (*p - '0');
  return negative ? -exponent : exponent;
}

/** A checked number, its fraction cut off. False if it is none, or beyond ±(2^53 − 1), what JSON numbers hold exactly. */
static bool json_integer(struct view value, int64_t *integer) {
  static const int64_t largest = 9007199254740991;
  bool negative = value.start < value.end && *value.start == '-';
  const char *digits = value.start + (negative ? 1 : 0);
  if (digits >= value.end || *digits < '0' || *digits > '9') return false;
  /* Digit by digit, and not by strtod: that goes by the program's locale. */
  const char *end = digits, *point = NULL;
  for (; end < value.end && *end != 'e' && *end != 'E'; end++)
    if (*end == '.') point = end;
  int64_t wanted = (point == NULL ? end : point) - digits + json_exponent(end, value.end);
  int64_t number = 0;
  for (const char *p = digits; wanted > 0 && p < end; p++) {
    if (p == point) continue;
    number = number * 10 + (*p - '0');
    wanted--;
    if (number > largest) return false;
  }
  for (; wanted > 0 && number != 0; wanted--) {
    number *= 10;
    if (number > largest) return false;
  }
  *integer = negative ? -number : number;
  return true;
}

/** The member `name`, a string. */
static bool json_member_text(struct view object, const char *name, struct text *text) {
  struct view value;
  text_clear(text);
  return json_member(object, name, &value) && json_text(value, text);
}

static bool json_member_integer(struct view object, const char *name, int64_t *integer) {
  struct view value;
  return json_member(object, name, &value) && json_integer(value, integer);
}

/* ---------------------------------------------------------------- writing JSON */

/** Appends `words`, which must be UTF-8, as a JSON string. */
static void json_write_string(struct text *json, const char *words) {
  text_add(json, "\"");
  for (const char *p = words; *p != '\0'; p++) {
    char escape[8];
    if (*p == '"' || *p == '\\') snprintf(escape, sizeof escape, "\\%c", *p);
    else if ((uint8_t)*p < 0x20) snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(uint8_t)*p);
    else snprintf(escape, sizeof escape, "%c", *p);
    text_add(json, escape);
  }
  text_add(json, "\"");
}

static void json_write_name(struct text *json, const char *name) {
  if (json->length > 0 && json->data[json->length - 1] != '{') text_add(json, ",");
  json_write_string(json, name);
  text_add(json, ":");
}

/** Appends a member; leaves it out if there is no text. */
static void json_write_member(struct text *json, const char *name, const char *words) {
  if (words == NULL || *words == '\0') return;
  json_write_name(json, name);
  json_write_string(json, words);
}

/* ---------------------------------------------------------------- system: what both halves offer */

/** IO_INVALID: longer than any answer, or nothing that a broker says. */
enum io { IO_OK, IO_CLOSED, IO_TIMED_OUT, IO_INVALID, IO_NO_MEMORY };

/** Where a time ends; milliseconds on a clock of the system's own. */
typedef int64_t deadline;

static int64_t now_ms(void);

static deadline after_ms(int64_t milliseconds) {
  return now_ms() + milliseconds;
}

static int remaining_ms(deadline end) {
  int64_t left = end - now_ms();
  return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

#if defined(_WIN32)

/* ---------------------------------------------------------------- system: Windows */

typedef HANDLE pipe_handle;
#define NO_PIPE INVALID_HANDLE_VALUE

static int64_t now_ms(void) {
  return (int64_t)GetTickCount64();
}

static bool random_bytes(uint8_t *bytes, size_t size) {
  return BCryptGenRandom(NULL, bytes, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG) >= 0;
}

/** UTF-16 for the system's functions; to be freed. NULL if `words` is not UTF-8 or there is no memory. */
static wchar_t *wide(const char *words) {
  int size = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, words, -1, NULL, 0);
  wchar_t *copy = size > 0 ? malloc((size_t)size * sizeof *copy) : NULL;
  if (copy != NULL) MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, words, -1, copy, size);
  return copy;
}

static void text_add_wide(struct text *text, const wchar_t *words) {
  int size = WideCharToMultiByte(CP_UTF8, 0, words, -1, NULL, 0, NULL, NULL);
  if (size <= 0 || !text_reserve(text, (size_t)size)) return;
  WideCharToMultiByte(CP_UTF8, 0, words, -1, text->data + text->length, size, NULL, NULL);
  text->length += (size_t)size - 1;
}

/** The environment variable; false if it is not set, or empty. */
static bool environment_variable(const char *name, struct text *value) {
  wchar_t *wide_name = wide(name);
  DWORD size = wide_name == NULL ? 0 : GetEnvironmentVariableW(wide_name, NULL, 0);
  wchar_t *found = size > 1 ? malloc(size * sizeof *found) : NULL;
  DWORD length = found == NULL ? 0 : GetEnvironmentVariableW(wide_name, found, size);
  text_clear(value);
  /* Another thread may have changed it meanwhile. */
  if (length > 0 && length < size) text_add_wide(value, found);
  free(found);
  free(wide_name);
  return value->length > 0 && !value->failed;
}

/** Waits for what ReadFile or WriteFile has begun. */
static enum io finish(HANDLE pipe, OVERLAPPED *operation, deadline end, DWORD *count) {
  bool in_time = WaitForSingleObject(operation->hEvent, (DWORD)remaining_ms(end)) == WAIT_OBJECT_0;
  if (!in_time) CancelIoEx(pipe, operation);
  /* Waits in any case: until then the system may still use the buffer. What was done before the cancelling counts. */
  if (GetOverlappedResult(pipe, operation, count, TRUE)) return IO_OK;
  return in_time ? IO_CLOSED : IO_TIMED_OUT;
}

static enum io transfer(HANDLE pipe, bool reading, char *buffer, size_t size, deadline end, DWORD *count) {
  OVERLAPPED operation;
  memset(&operation, 0, sizeof operation);
  operation.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (operation.hEvent == NULL) return IO_CLOSED;
  DWORD amount = (DWORD)size;
  BOOL begun = reading ? ReadFile(pipe, buffer, amount, NULL, &operation) : WriteFile(pipe, buffer, amount, NULL, &operation);
  enum io outcome = begun || GetLastError() == ERROR_IO_PENDING ? finish(pipe, &operation, end, count) : IO_CLOSED;
  CloseHandle(operation.hEvent);
  return outcome;
}

static enum io pipe_read(pipe_handle pipe, char *buffer, size_t size, deadline end, size_t *received) {
  DWORD count = 0;
  enum io outcome = transfer(pipe, true, buffer, size, end, &count);
  *received = count;
  return outcome;
}

static enum io pipe_write(pipe_handle pipe, const char *bytes, size_t size, deadline end) {
  while (size > 0) {
    DWORD count = 0;
    /* WriteFile only reads the buffer; reading and writing share one function. */
    enum io outcome = transfer(pipe, false, (char *)(uintptr_t)bytes, size, end, &count);
    if (outcome != IO_OK) return outcome;
    if (count == 0 && remaining_ms(end) == 0) return IO_TIMED_OUT;
    bytes += count;
    size -= count;
  }
  return IO_OK;
}

/** Whether the other side has closed and nothing is left to be read. */
static bool pipe_is_over(pipe_handle pipe) {
  return !PeekNamedPipe(pipe, NULL, 0, NULL, NULL, NULL);
}

static void pipe_close(pipe_handle pipe) {
  CloseHandle(pipe);
}

/** Only a pipe of this computer: `\\.\pipe\…` or `\\?\pipe\…`; without `/`, which could lead out of there as `\` does. */
static bool pipe_name_is_possible(const char *name) {
  size_t length = strlen(name);
  return length > 9 && length <= 256 && (name[2] == '.' || name[2] == '?') && memcmp(name, "\\\\", 2) == 0 &&
         _strnicmp(name + 3, "\\pipe\\", 6) == 0 && strpbrk(name + 9, "\\/") == NULL;
}

static enum io pipe_connect(const char *name, deadline end, pipe_handle *pipe) {
  wchar_t *wide_name = wide(name);
  if (wide_name == NULL) return IO_NO_MEMORY;
  enum io outcome = IO_OK;
  for (;;) {
    /* Whoever squats on the name must not act in this user's name. */
    *pipe = CreateFileW(wide_name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                        FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    if (*pipe != NO_PIPE) break;
    if (GetLastError() != ERROR_PIPE_BUSY) outcome = IO_CLOSED;
    else if (remaining_ms(end) == 0) outcome = IO_TIMED_OUT;
    if (outcome != IO_OK) break;
    /* 0 would mean the server's own time. Fails at once if no instance exists any more: then CreateFile says so. */
    WaitNamedPipeW(wide_name, (DWORD)remaining_ms(end) + 1);
  }
  free(wide_name);
  return outcome;
}

/** Windows tells a process id, which says nothing for sure about whose process it is. The proof has to do. */
static bool peer_is_acceptable(pipe_handle pipe) {
  (void)pipe;
  return true;
}

static bool add_user_sid(struct text *identity) {
  HANDLE token = NULL;
  union {
    TOKEN_USER user;
    char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  } found;
  DWORD size = sizeof found;
  LPSTR sid = NULL;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
  if (GetTokenInformation(token, TokenUser, &found, size, &size) && ConvertSidToStringSidA(found.user.User.Sid, &sid)) text_add(identity, sid);
  if (sid != NULL) LocalFree(sid);
  CloseHandle(token);
  return identity->length > 0;
}

/** `domain\user` in lower case, where the SID cannot be read. */
static void add_account_name(struct text *identity) {
  wchar_t account[600], lower[600];
  DWORD length = GetEnvironmentVariableW(L"USERDOMAIN", account, 256);
  if (length == 0 || length >= 256) wcscpy(account, L".");
  wcscat(account, L"\\");
  DWORD room = 257;
  if (!GetUserNameW(account + wcslen(account), &room)) return;
  int size = LCMapStringW(LOCALE_INVARIANT, LCMAP_LOWERCASE, account, -1, lower, 600);
  text_add_wide(identity, size > 0 ? lower : account);
}

static void default_pipe_name(struct text *name) {
  struct text identity = {0};
  struct sha256 hash;
  uint8_t digest[32];
  char hex[17];
  DWORD session = 0;
  if (!add_user_sid(&identity)) add_account_name(&identity);
  sha256_start(&hash);
  sha256_add(&hash, text_of(&identity), strlen(text_of(&identity)));
  sha256_end(&hash, digest);
  for (int i = 0; i < 8; i++) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  ProcessIdToSessionId(GetCurrentProcessId(), &session);
  text_add(name, "\\\\.\\pipe\\dms-connect-");
  text_add(name, hex);
  text_add(name, "-");
  text_add_number(name, (int64_t)session);
  text_free(&identity);
}

static bool default_profile_folder(struct text *folder) {
  if (!environment_variable("LOCALAPPDATA", folder)) {
    /* Nothing else will do: others may write to the root of a disk. */
    if (!environment_variable("USERPROFILE", folder)) return false;
    text_add(folder, "\\AppData\\Local");
  }
  text_add(folder, "\\dms-connect");
  return true;
}

static bool read_whole_file(const char *file, struct text *content, bool *open_to_others) {
  wchar_t *name = wide(file);
  HANDLE handle = name == NULL ? INVALID_HANDLE_VALUE
                               : CreateFileW(name, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                             FILE_ATTRIBUTE_NORMAL, NULL);
  DWORD count = 0;
  bool whole = false;
  free(name);
  /* The folder's own permissions protect it; a mode says nothing here. */
  *open_to_others = false;
  if (handle == INVALID_HANDLE_VALUE) return false;
  while (text_reserve(content, FILE_PIECE) && ReadFile(handle, content->data + content->length, FILE_PIECE, &count, NULL)) {
    content->length += count;
    content->data[content->length] = '\0';
    whole = count == 0;
    if (whole || content->length > MAX_FILE) break;
  }
  CloseHandle(handle);
  return whole;
}

static bool write_new_file(const char *file, const struct text *content) {
  wchar_t *name = wide(file);
  HANDLE handle =
      name == NULL ? INVALID_HANDLE_VALUE : CreateFileW(name, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
  DWORD count = 0;
  free(name);
  if (handle == INVALID_HANDLE_VALUE) return false;
  bool written = WriteFile(handle, content->data, (DWORD)content->length, &count, NULL) && count == content->length && FlushFileBuffers(handle);
  CloseHandle(handle);
  return written;
}

static bool move_over(const char *from, const char *to) {
  wchar_t *wide_from = wide(from), *wide_to = wide(to);
  bool moved = wide_from != NULL && wide_to != NULL && MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH);
  free(wide_from);
  free(wide_to);
  return moved;
}

static void delete_file(const char *file) {
  wchar_t *name = wide(file);
  if (name != NULL) DeleteFileW(name);
  free(name);
}

static void make_folder(const char *folder) {
  wchar_t *name = wide(folder);
  if (name != NULL) CreateDirectoryW(name, NULL);
  free(name);
}

#define IS_SEPARATOR(c) ((c) == '/' || (c) == '\\')
#define SEPARATOR "\\"

#else

/* ---------------------------------------------------------------- system: Unix */

typedef int pipe_handle;
#define NO_PIPE (-1)

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool random_bytes(uint8_t *bytes, size_t size) {
  return getentropy(bytes, size) == 0;
}

static bool environment_variable(const char *name, struct text *value) {
  const char *found = getenv(name);
  text_clear(value);
  if (found != NULL) text_add(value, found);
  return value->length > 0 && !value->failed;
}

/** Waits until the socket is ready; IO_OK also when it has failed, since the next operation then says how. */
static enum io wait_for(int socket, short events, deadline end) {
  for (;;) {
    struct pollfd entry = {.fd = socket, .events = events, .revents = 0};
    int left = remaining_ms(end);
    int ready = poll(&entry, 1, left);
    if (ready > 0) return IO_OK;
    if (ready < 0 && errno != EINTR) return IO_CLOSED;
    if (ready == 0 && left == 0) return IO_TIMED_OUT;
  }
}

static bool would_block(void) {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

#if defined(MSG_NOSIGNAL)
#define SEND_FLAGS MSG_NOSIGNAL
#else
#define SEND_FLAGS 0
#endif

static enum io pipe_read(pipe_handle pipe, char *buffer, size_t size, deadline end, size_t *received) {
  for (;;) {
    ssize_t count = recv(pipe, buffer, size, 0);
    if (count > 0) {
      *received = (size_t)count;
      return IO_OK;
    }
    if (count == 0 || (!would_block() && errno != EINTR)) return IO_CLOSED;
    enum io ready = wait_for(pipe, POLLIN, end);
    if (ready != IO_OK) return ready;
  }
}

static enum io pipe_write(pipe_handle pipe, const char *bytes, size_t size, deadline end) {
  while (size > 0) {
    ssize_t count = send(pipe, bytes, size, SEND_FLAGS);
    if (count >= 0) {
      bytes += count;
      size -= (size_t)count;
      continue;
    }
    if (!would_block() && errno != EINTR) return IO_CLOSED;
    enum io ready = wait_for(pipe, POLLOUT, end);
    if (ready != IO_OK) return ready;
  }
  return IO_OK;
}

static bool pipe_is_over(pipe_handle pipe) {
  char byte;
  ssize_t count = recv(pipe, &byte, 1, MSG_PEEK);
  return count == 0 || (count < 0 && !would_block() && errno != EINTR);
}

static void pipe_close(pipe_handle pipe) {
  close(pipe);
}

static bool pipe_name_is_possible(const char *name) {
  struct sockaddr_un address;
  return name[0] == '/' && strlen(name) < sizeof address.sun_path;
}

/** A socket that never blocks, and that programs started meanwhile do not inherit. */
static int open_socket(void) {
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
  int made = socket(AF_UNIX, SOCK_STREAM, 0);
  if (made < 0) return NO_PIPE;
#if defined(SO_NOSIGPIPE)
  int on = 1;
  setsockopt(made, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  if (fcntl(made, F_SETFD, FD_CLOEXEC) == 0 && fcntl(made, F_SETFL, O_NONBLOCK) == 0) return made;
  close(made);
  return NO_PIPE;
#endif
}

static enum io pipe_connect(const char *name, deadline end, pipe_handle *pipe) {
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name, strlen(name));
  *pipe = open_socket();
  if (*pipe == NO_PIPE) return IO_CLOSED;
  enum io outcome = IO_OK;
  while (outcome == IO_OK && connect(*pipe, (const struct sockaddr *)&address, sizeof address) != 0 && errno != EISCONN) {
    /* A full queue shows as EAGAIN, and poll does not tell when it has room (unix(7)). */
    if (!would_block() && errno != EINTR && errno != EINPROGRESS && errno != EALREADY) outcome = IO_CLOSED;
    else if (remaining_ms(end) == 0) outcome = IO_TIMED_OUT;
    else poll(NULL, 0, 5);
  }
  if (outcome == IO_OK) return IO_OK;
  pipe_close(*pipe);
  *pipe = NO_PIPE;
  return outcome;
}

/** Whether the listener runs as this user, or as root. root itself may visit anyone. */
static bool peer_is_acceptable(pipe_handle pipe) {
  uid_t own = geteuid(), peer;
#if defined(__linux__)
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  if (getsockopt(pipe, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return false;
  peer = credentials.uid;
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__)
  gid_t group;
  if (getpeereid(pipe, &peer, &group) != 0) return false;
#else
  (void)pipe;
  peer = own;
#endif
  return peer == own || peer == 0 || own == 0;
}

static void default_pipe_name(struct text *name) {
  if (environment_variable("XDG_RUNTIME_DIR", name) && name->data[0] == '/') {
    while (name->length > 1 && name->data[name->length - 1] == '/') name->data[--name->length] = '\0';
    text_add(name, "/dms-connect/broker.sock");
    return;
  }
  if (!environment_variable("TMPDIR", name) && !environment_variable("TMP", name) && !environment_variable("TEMP", name)) text_add(name, "/tmp");
  while (name->length > 1 && name->data[name->length - 1] == '/') name->data[--name->length] = '\0';
  text_add(name, "/dms-connect-");
  text_add_number(name, (int64_t)getuid());
  text_add(name, "/broker.sock");
}

static bool home_folder(struct text *folder) {
  if (environment_variable("HOME", folder)) return true;
#if !defined(DMS_CONNECT_STATIC)
  /* A statically linked program has no access to the system's list of users. */
  struct passwd entry, *found = NULL;
  char room[4096];
  if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) == 0 && found != NULL) text_add(folder, found->pw_dir);
#endif
  return folder->length > 0;
}

static bool default_profile_folder(struct text *folder) {
#if defined(__APPLE__)
  if (!home_folder(folder)) return false;
  text_add(folder, "/Library/Application Support/dms-connect");
#else
  if (!environment_variable("XDG_CONFIG_HOME", folder) || folder->data[0] != '/') {
    text_clear(folder);
    if (!home_folder(folder)) return false;
    text_add(folder, "/.config");
  }
  text_add(folder, "/dms-connect");
#endif
  return true;
}

static bool read_whole_file(const char *file, struct text *content, bool *open_to_others) {
  struct stat status;
  int handle = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t count = -1;
  if (handle < 0) return false;
  bool regular = fstat(handle, &status) == 0 && S_ISREG(status.st_mode);
  *open_to_others = regular && (status.st_mode & 077) != 0;
  while (regular && text_reserve(content, FILE_PIECE) && (count = read(handle, content->data + content->length, FILE_PIECE)) > 0) {
    content->length += (size_t)count;
    content->data[content->length] = '\0';
    if (content->length > MAX_FILE) break;
  }
  close(handle);
  return count == 0;
}

static bool write_new_file(const char *file, const struct text *content) {
  int handle = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  size_t done = 0;
  if (handle < 0) return false;
  while (done < content->length) {
    ssize_t count = write(handle, content->data + done, content->length - done);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) done += (size_t)count;
  }
  bool written = done == content->length && fsync(handle) == 0;
  return close(handle) == 0 && written;
}

static bool move_over(const char *from, const char *to) {
  return rename(from, to) == 0;
}

static void delete_file(const char *file) {
  unlink(file);
}

static void make_folder(const char *folder) {
  /* A folder that is there already is as good; one that cannot be made shows when the file is written. */
  if (mkdir(folder, 0700) != 0) return;
}

#define IS_SEPARATOR(c) ((c) == '/')
#define SEPARATOR "/"

#endif

/* ---------------------------------------------------------------- system: files, the same on both */

static void make_parent_folders(const char *file) {
  struct text folder = {0};
  for (const char *p = file; *p != '\0'; p++) {
    if (p > file && IS_SEPARATOR(*p)) make_folder(text_of(&folder));
    text_append(&folder, p, 1);
  }
  text_free(&folder);
}

/** Writes `file` whole or not at all, readable by this user alone. */
static bool replace_file(const char *file, const struct text *content) {
  struct text temporary = {0};
  uint8_t bytes[8];
  bool written = random_bytes(bytes, sizeof bytes);
  make_parent_folders(file);
  text_add(&temporary, file);
  for (size_t i = 0; i < sizeof bytes; i++) {
    char hex[4];
    snprintf(hex, sizeof hex, "%s%02x", i == 0 ? "." : "", bytes[i]);
    text_add(&temporary, hex);
  }
  written = written && !temporary.failed && write_new_file(text_of(&temporary), content);
  if (written && move_over(text_of(&temporary), file)) {
    text_free(&temporary);
    return true;
  }
  if (!temporary.failed) delete_file(text_of(&temporary));
  text_free(&temporary);
  return false;
}

/* ---------------------------------------------------------------- pipe name */

/** `name` of broker.json in the profile folder; false if there is no such file. */
static bool published_pipe_name(struct text *name) {
  struct text path = {0}, content = {0};
  bool ignored, found = false;
  bool has_folder = environment_variable("DMS_CONNECT_PROFILE", &path) || default_profile_folder(&path);
  text_add(&path, SEPARATOR "broker.json");
  if (has_folder && !path.failed && read_whole_file(text_of(&path), &content, &ignored) && !content.failed) {
    struct view text = {content.data, content.data + content.length};
    found = json_check(&text) && json_member_text(text, "name", name);
  }
  text_free(&path);
  text_free(&content);
  return found;
}

/** docs/pipe-protocol.md, "Find the name in this order". */
static void find_pipe_name(struct text *name) {
  if (environment_variable("DMS_CONNECT_PIPE", name)) return;
  text_clear(name);
  if (published_pipe_name(name)) return;
  text_clear(name);
  default_pipe_name(name);
}

/* ---------------------------------------------------------------- session */

struct failure {
  const char *code;
  char detail[64];
  char message[512];
  char remedy[512];
  bool retryable;
  int retry_after;
};

struct dms_session {
  pipe_handle pipe;
  int timeout_ms;
  /** Looked up again at each connecting, because a broker that was restarted may have another. */
  bool finds_pipe;
  struct text pipe_name;

  /** What was received and not yet used; the first `line_size` bytes are a line that was, or is being, handed out. */
  struct text received;
  size_t line_size;
  size_t searched;
  int64_t last_id;

  bool authenticated;
  /** Id of the session.authenticate that waits; 0 if none. */
  int64_t proof_id;
  /** Requests go right behind the program's proof, and do not wait until it is answered. */
  bool asks_with_proof;
  bool has_key;
  uint8_t key[KEY_BYTES];
  struct text client_id;
  struct text client_key;

  struct text pairing_code;
  int pairing_seconds;
  /** Id of the pairing.wait that waits; 0 if none. */
  int64_t pairing_wait_id;
  /** By then it must have been answered: the person's time and the usual one. */
  deadline pairing_end;

  struct text access_token;
  struct text token_type;
  struct text token_id;
  struct text headers;
  int64_t expires_at;
  int64_t expires_in;
  struct text answer;
  struct text answer_value;

  struct failure failure;
};

/** Whether a character steers a terminal, ends a line, turns the direction in which letters are read, or is not seen at all. */
static bool steers(uint32_t code) {
  static const struct {
    uint32_t first, last;
  } ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},   {0x200b, 0x200f},
                {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
    if (code >= ranges[i].first && code <= ranges[i].last) return true;
  return false;
}

/** Copies what fits, whole characters only; nothing that could steer a terminal, a log or a reader. */
static void copy_for_people(char *to, size_t size, const char *from) {
  const char *end = from + strlen(from);
  size_t used = 0;
  while (from < end) {
    size_t length = utf8_length(from, end);
    if (length == 0 || used + length >= size) break;
    if (steers(utf8_code_point(from, length))) to[used++] = ' ';
    else {
      memcpy(to + used, from, length);
      used += length;
    }
    from += length;
  }
  to[used] = '\0';
}

static int fail(dms_session *session, int result, const char *code, const char *detail, const char *message, const char *remedy) {
  struct failure *failure = &session->failure;
  failure->code = code;
  copy_for_people(failure->detail, sizeof failure->detail, detail);
  copy_for_people(failure->message, sizeof failure->message, message);
  copy_for_people(failure->remedy, sizeof failure->remedy, remedy);
  failure->retryable = false;
  failure->retry_after = -1;
  return result;
}

static int succeed(dms_session *session) {
  return fail(session, DMS_OK, "", "", "", "");
}

static int bad_argument(dms_session *session, const char *message) {
  return fail(session, DMS_BAD_ARGUMENT, "invalid_request", "argument_invalid", message, "Correct the program that uses DMS Connect.");
}

static int out_of_memory(dms_session *session) {
  return fail(session, DMS_INTERNAL_ERROR, "internal_error", "out_of_memory", "There is not enough memory.", "Close other programs and try again.");
}

static int unreachable(dms_session *session, const char *detail) {
  int result = fail(session, DMS_BROKER_UNREACHABLE, "broker_unreachable", detail,
                    strcmp(detail, "timed_out") == 0 ? "DMS Connect did not answer in time." : "DMS Connect is not running.",
                    "Start DMS Connect and try again. If its window is open, read what it says there.");
  session->failure.retryable = true;
  return result;
}

static int not_genuine(dms_session *session, const char *detail) {
  return fail(session, DMS_BROKER_NOT_GENUINE, "broker_not_genuine", detail, "The program on the pipe could not prove that it is DMS Connect.",
              "Do not go on. Restart DMS Connect; if it happens again, pair the program again or call your administrator.");
}

static int answer_invalid(dms_session *session) {
  return fail(session, DMS_INTERNAL_ERROR, "internal_error", "answer_invalid", "The answer of DMS Connect cannot be understood.",
              "Update DMS Connect and this program. If it happens again, call your DMS vendor.");
}

/** The words of docs/pipe-protocol.md, "Errors". The first one also stands for words that are not known. */
static const struct {
  const char *code;
  int result;
} error_words[] = {
    {"internal_error", DMS_INTERNAL_ERROR},
    {"not_paired", DMS_NOT_PAIRED},
    {"not_permitted", DMS_NOT_PERMITTED},
    {"not_connected", DMS_NOT_CONNECTED},
    {"reconnect_required", DMS_RECONNECT_REQUIRED},
    {"provider_unavailable", DMS_PROVIDER_UNAVAILABLE},
    {"invalid_request", DMS_INVALID_REQUEST},
    {"rate_limited", DMS_RATE_LIMITED},
    {"vault_locked", DMS_VAULT_LOCKED},
    {"shutting_down", DMS_SHUTTING_DOWN},
};

/** Takes over a JSON-RPC error; what is missing in it gets the usual texts. */
static int refused(dms_session *session, struct view error) {
  struct text code = {0}, detail = {0}, message = {0}, remedy = {0};
  struct view data = {NULL, NULL}, value;
  size_t word = 0;
  int64_t seconds;
  json_member(error, "data", &data);
  if (!json_member_text(data, "code", &code)) text_clear(&code);
  for (size_t i = 0; i < sizeof error_words / sizeof error_words[0]; i++)
    if (strcmp(text_of(&code), error_words[i].code) == 0) word = i;
  if (!json_member_text(data, "message", &message)) text_clear(&message);
  if (!json_member_text(data, "remedy", &remedy)) text_clear(&remedy);
  if (!json_member_text(data, "detail", &detail)) text_clear(&detail);
  int result = fail(session, error_words[word].result, error_words[word].code,
                    detail.length > 0 ? text_of(&detail) : code.length > 0 ? text_of(&code) : "internal_error",
                    message.length > 0 ? text_of(&message) : "Something went wrong inside DMS Connect.",
                    remedy.length > 0 ? text_of(&remedy) : "Try again. If it happens again, send the log to your DMS vendor.");
  if (json_member(data, "retryable", &value)) session->failure.retryable = *value.start == 't';
  if (json_member(data, "retryAfterSeconds", &value) && json_integer(value, &seconds) && seconds >= 0 && seconds < INT32_MAX)
    /* "At least": what was cut off counts as a second. */
    session->failure.retry_after = (int)seconds + (memchr(value.start, '.', (size_t)(value.end - value.start)) != NULL);
  text_free(&code);
  text_free(&detail);
  text_free(&message);
  text_free(&remedy);
  return result;
}

static void forget_answers(dms_session *session) {
  text_clear(&session->access_token);
  text_clear(&session->token_type);
  text_clear(&session->token_id);
  text_clear(&session->headers);
  text_clear(&session->answer);
  text_clear(&session->answer_value);
  session->expires_at = 0;
  session->expires_in = 0;
}

static void forget_key(dms_session *session) {
  wipe(session->key, sizeof session->key);
  text_clear(&session->client_key);
  text_clear(&session->client_id);
  session->has_key = false;
  session->asks_with_proof = false;
}

static void disconnect(dms_session *session) {
  if (session->pipe != NO_PIPE) pipe_close(session->pipe);
  session->pipe = NO_PIPE;
  text_clear(&session->received);
  session->line_size = 0;
  session->searched = 0;
  session->authenticated = false;
  session->proof_id = 0;
  session->pairing_wait_id = 0;
}

static int lost(dms_session *session, enum io outcome) {
  disconnect(session);
  if (outcome == IO_NO_MEMORY) return out_of_memory(session);
  if (outcome == IO_INVALID) return answer_invalid(session);
  return unreachable(session, outcome == IO_TIMED_OUT ? "timed_out" : "broker_unreachable");
}

static int quick_timeout(const dms_session *session) {
  return session->timeout_ms < QUICK_TIMEOUT_MS ? session->timeout_ms : QUICK_TIMEOUT_MS;
}

/** Connects, or connects again; nothing is said yet. */
static int connect_pipe(dms_session *session, deadline end) {
  disconnect(session);
  if (session->finds_pipe) {
    text_clear(&session->pipe_name);
    find_pipe_name(&session->pipe_name);
  }
  if (session->pipe_name.failed) return out_of_memory(session);
  if (session->pipe_name.length == 0) return bad_argument(session, "The session was not opened.");
  if (!pipe_name_is_possible(text_of(&session->pipe_name))) return bad_argument(session, "No pipe of this computer can have that name.");
  enum io outcome = pipe_connect(text_of(&session->pipe_name), end, &session->pipe);
  if (outcome != IO_OK) {
    session->pipe = NO_PIPE;
    return lost(session, outcome);
  }
  if (peer_is_acceptable(session->pipe)) return DMS_OK;
  disconnect(session);
  return not_genuine(session, "broker_of_another_user");
}

/** A connection on which nobody has proved anything yet, and no pairing waits. */
static int fresh_connection(dms_session *session, deadline end) {
  bool is_fresh = session->pipe != NO_PIPE && !session->authenticated && session->proof_id == 0 && session->pairing_wait_id == 0;
  /* One whose 5 seconds are over does not count. */
  return is_fresh && !pipe_is_over(session->pipe) ? DMS_OK : connect_pipe(session, end);
}

/* ---------------------------------------------------------------- messages */

/** The next line, without its line ending; it stays until the next call. `longest` counts the line feed. */
static enum io read_line(dms_session *session, size_t longest, deadline end, struct view *line) {
  struct text *received = &session->received;
  if (session->line_size > 0) {
    size_t left = received->length - session->line_size;
    memmove(received->data, received->data + session->line_size, left);
    wipe(received->data + left, session->line_size);
    received->length = left;
    session->line_size = 0;
    session->searched = 0;
  }
  for (;;) {
    size_t unsearched = received->length - session->searched;
    const char *feed = unsearched == 0 ? NULL : memchr(received->data + session->searched, '\n', unsearched);
    session->searched = received->length;
    if (feed != NULL) {
      session->line_size = (size_t)(feed - received->data) + 1;
      line->start = received->data;
      line->end = feed;
      return session->line_size > longest ? IO_INVALID : IO_OK;
    }
    if (received->length >= longest) return IO_INVALID;
    size_t count = 0;
    if (!text_reserve(received, received->length < 4096 ? 4096 : received->length)) return IO_NO_MEMORY;
    enum io outcome = pipe_read(session->pipe, received->data + received->length, received->capacity - received->length - 1, end, &count);
    received->length += count;
    if (outcome != IO_OK) return outcome;
    /* A Windows pipe can carry messages of no bytes. */
    if (count == 0 && remaining_ms(end) == 0) return IO_TIMED_OUT;
  }
}

/** Appends a request to the lines to be sent; its id is then `last_id`. `params` is a JSON object. */
static int add_request(dms_session *session, struct text *lines, const char *method, const struct text *params) {
  size_t before = lines->length;
  if (params->failed) return out_of_memory(session);
  session->last_id++;
  text_add(lines, "{\"jsonrpc\":\"2.0\",\"id\":");
  text_add_number(lines, session->last_id);
  text_add(lines, ",\"method\":\"");
  text_add(lines, method);
  text_add(lines, "\",\"params\":");
  text_append(lines, text_of(params), params->length);
  text_add(lines, "}\n");
  if (lines->failed) return out_of_memory(session);
  if (lines->length - before <= MAX_REQUEST) return DMS_OK;
  return fail(session, DMS_INVALID_REQUEST, "invalid_request", "message_too_large", "The request is too long.",
              "Correct the program that uses DMS Connect.");
}

/** Sends the lines in one piece, and empties them. */
static int send_requests(dms_session *session, struct text *lines, deadline end) {
  enum io outcome = pipe_write(session->pipe, lines->data, lines->length, end);
  text_clear(lines);
  return outcome == IO_OK ? DMS_OK : lost(session, outcome);
}

/** Whether a checked message answers the request `id`, and is neither a notification nor an error about no request. */
static bool is_answer(struct view message, int64_t id) {
  struct view value;
  int64_t number;
  if (json_member(message, "method", &value) || !json_member(message, "id", &value)) return false;
  return json_integer(value, &number) && number == id;
}

/** Waits for the message that answers request `id`, or the waiting proof; it stays until the next one is waited for. */
static enum io await_answer(dms_session *session, int64_t id, size_t longest, deadline end, struct view *message) {
  size_t ignored_bytes = 0;
  for (int ignored = 0; ignored < MAX_IGNORED_LINES && ignored_bytes <= MAX_IGNORED_BYTES; ignored++) {
    enum io outcome = read_line(session, longest, end, message);
    if (outcome != IO_OK) return outcome;
    ignored_bytes += session->line_size;
    if (skip_space(message->start, message->end) == message->end) continue;
    if (!json_check(message) || !json_is_object(*message)) return IO_INVALID;
    if (is_answer(*message, id) || (session->proof_id != 0 && is_answer(*message, session->proof_id))) return IO_OK;
  }
  return IO_INVALID;
}

/** What an answer says. On DMS_OK `result` is its result, an object. An answer that says nothing ends the connection. */
static int read_answer(dms_session *session, struct view message, struct view *result) {
  struct view error;
  if (json_member(message, "error", &error)) return refused(session, error);
  if (json_member(message, "result", result) && json_is_object(*result)) return DMS_OK;
  return lost(session, IO_INVALID);
}

/** Waits for the answer to request `id`. On DMS_OK `result` is its result; it stays until the next message. */
static int receive_answer(dms_session *session, int64_t id, size_t longest, deadline end, struct view *result) {
  for (;;) {
    struct view message;
    enum io outcome = await_answer(session, id, longest, end, &message);
    if (outcome != IO_OK) return lost(session, outcome);
    bool is_own = is_answer(message, id), is_of_proof = session->proof_id != 0 && is_answer(message, session->proof_id);
    int answered = read_answer(session, message, result);
    if (is_of_proof) session->proof_id = 0;
    /* Whoever answers a request has accepted the proof before it. */
    if (answered == DMS_OK && (is_of_proof || session->proof_id != 0)) session->authenticated = true;
    if (is_of_proof && answered != DMS_OK) disconnect(session);
    if (is_own || answered != DMS_OK) return answered;
  }
}

static int exchange(dms_session *session, const char *method, const struct text *params, size_t longest, deadline end, struct view *result) {
  struct text line = {0};
  int outcome = add_request(session, &line, method, params);
  if (outcome == DMS_OK) outcome = send_requests(session, &line, end);
  text_free(&line);
  return outcome == DMS_OK ? receive_answer(session, session->last_id, longest, end, result) : outcome;
}

/* ---------------------------------------------------------------- proof */

/** HMAC-SHA256(key, label "\n" clientId "\n" clientNonce "\n" serverNonce) */
static void make_proof(const uint8_t key[KEY_BYTES], const char *label, const char *client_id, const char *client_nonce,
                       const char *server_nonce, uint8_t proof[32]) {
  const char *parts[4] = {label, client_id, client_nonce, server_nonce};
  struct hmac hmac;
  hmac_start(&hmac, key, KEY_BYTES);
  for (int i = 0; i < 4; i++) {
    if (i > 0) sha256_add(&hmac.inner, "\n", 1);
    sha256_add(&hmac.inner, parts[i], strlen(parts[i]));
  }
  hmac_end(&hmac, proof);
}

static bool is_client_id(const char *text) {
  size_t length = strlen(text);
  for (const char *p = text; *p != '\0'; p++)
    if (base64url_digit(*p) < 0 && *p != '.' && *p != '~') return false;
  return length >= 1 && length <= MAX_CLIENT_ID;
}

/** Whether the broker's greeting holds the proof that only the holder of the key can make. `server_nonce` is filled. */
static bool is_genuine(const dms_session *session, struct view greeting, const char *client_nonce, struct text *server_nonce) {
  uint8_t expected[KEY_BYTES], given[KEY_BYTES], nonce_bytes[KEY_BYTES];
  struct text proof = {0};
  bool readable = json_member_text(greeting, "nonce", server_nonce) && json_member_text(greeting, "proof", &proof) &&
                  base64url_decode(text_of(server_nonce), nonce_bytes) && base64url_decode(text_of(&proof), given);
  make_proof(session->key, "dms-connect/1 broker", text_of(&session->client_id), client_nonce, text_of(server_nonce), expected);
  bool genuine = readable && equal_in_constant_time(given, expected, sizeof expected);
  wipe(expected, sizeof expected);
  text_free(&proof);
  return genuine;
}

/** Appends session.authenticate with the program's proof. */
static int add_own_proof(dms_session *session, const char *client_nonce, const char *server_nonce, struct text *lines) {
  uint8_t proof[KEY_BYTES];
  char proof_text[KEY_TEXT + 1];
  struct text params = {0};
  make_proof(session->key, "dms-connect/1 program", text_of(&session->client_id), client_nonce, server_nonce, proof);
  base64url_encode(proof, proof_text);
  text_add(&params, "{");
  json_write_member(&params, "proof", proof_text);
  text_add(&params, "}");
  int outcome = add_request(session, lines, "session.authenticate", &params);
  text_free(&params);
  wipe(proof, sizeof proof);
  wipe(proof_text, sizeof proof_text);
  if (outcome == DMS_OK) session->proof_id = session->last_id;
  return outcome;
}

/** Says hello. Whoever answers has proved nothing yet: its error's words for people are not passed on. */
static int say_hello(dms_session *session, const char *client_nonce, deadline end, struct view *greeting) {
  struct text params = {0};
  text_add(&params, "{\"protocol\":1");
  json_write_member(&params, "clientId", text_of(&session->client_id));
  json_write_member(&params, "nonce", client_nonce);
  text_add(&params, "}");
  int outcome = exchange(session, "session.hello", &params, MAX_ANSWER, end, greeting);
  text_free(&params);
  if (outcome != DMS_OK && session->pipe != NO_PIPE) {
    copy_for_people(session->failure.message, sizeof session->failure.message, "The program on the pipe refuses to prove that it is DMS Connect.");
    copy_for_people(session->failure.remedy, sizeof session->failure.remedy,
                    "Restart DMS Connect and try again. If it happens again, update DMS Connect and this program.");
  }
  return outcome;
}

/**
 * Lets the broker prove that it is genuine, and appends the program's own proof to the lines to be sent. On any failure
 * the connection is closed, and nothing is to be sent.
 */
static int check_broker(dms_session *session, deadline end, struct text *lines) {
  uint8_t nonce[KEY_BYTES];
  char client_nonce[KEY_TEXT + 1];
  struct text server_nonce = {0};
  struct view greeting;
  if (!random_bytes(nonce, sizeof nonce)) {
    disconnect(session);
    return fail(session, DMS_INTERNAL_ERROR, "internal_error", "no_random_numbers", "The system gives no random numbers.", "Restart the computer.");
  }
  base64url_encode(nonce, client_nonce);
  int outcome = say_hello(session, client_nonce, end, &greeting);
  if (outcome == DMS_OK && !is_genuine(session, greeting, client_nonce, &server_nonce)) outcome = not_genuine(session, "broker_not_genuine");
  if (outcome == DMS_OK) outcome = add_own_proof(session, client_nonce, text_of(&server_nonce), lines);
  text_free(&server_nonce);
  if (outcome != DMS_OK) disconnect(session);
  return outcome;
}

/** Sends the program's proof, and waits until it is accepted. On any failure the connection is closed. */
static int finish_proof(dms_session *session, struct text *lines, deadline end) {
  struct view result;
  int outcome = send_requests(session, lines, end);
  return outcome == DMS_OK ? receive_answer(session, session->proof_id, MAX_ANSWER, end, &result) : outcome;
}

/** Both proofs of docs/pipe-protocol.md, on a connection that is open. */
static int prove(dms_session *session, deadline end) {
  struct text lines = {0};
  int outcome = check_broker(session, end, &lines);
  if (outcome == DMS_OK) outcome = finish_proof(session, &lines, end);
  text_free(&lines);
  return outcome == DMS_OK ? succeed(session) : outcome;
}

static bool is_key(const char *text) {
  uint8_t bytes[KEY_BYTES];
  bool is = base64url_decode(text, bytes);
  wipe(bytes, sizeof bytes);
  return is;
}

/** Keeps the key for the proofs to come. */
static int take_key(dms_session *session, const char *client_id, const char *client_key) {
  struct text id = {0}, key = {0};
  if (client_id == NULL || !is_client_id(client_id)) return bad_argument(session, "The client id is not one that DMS Connect gives.");
  if (client_key == NULL || !is_key(client_key)) return bad_argument(session, "The client key is not one that DMS Connect gives.");
  /* Copied first: the given texts may be the session's own. */
  text_add(&id, client_id);
  text_add(&key, client_key);
  forget_key(session);
  text_free(&session->client_id);
  text_free(&session->client_key);
  session->client_id = id;
  session->client_key = key;
  /* A copy that failed reads as an empty text. */
  session->has_key = is_client_id(text_of(&session->client_id)) && base64url_decode(text_of(&session->client_key), session->key);
  return session->has_key ? DMS_OK : out_of_memory(session);
}

/* ---------------------------------------------------------------- calls */

/** A method that needs an authenticated session. */
struct method {
  const char *name;
  size_t longest_answer;
  /** The library itself may send it twice. */
  bool repeatable;
  /** Its answer may wait for a provider's. */
  bool is_slow;
};

/** Sends the request, behind the lines that are there, and waits for its answer. */
static int ask(dms_session *session, struct text *lines, const struct method *method, const struct text *params, struct view *result) {
  deadline end = after_ms(method->is_slow ? session->timeout_ms : quick_timeout(session));
  int outcome = add_request(session, lines, method->name, params);
  int64_t id = session->last_id;
  if (outcome == DMS_OK) outcome = send_requests(session, lines, end);
  return outcome == DMS_OK ? receive_answer(session, id, method->longest_answer, end, result) : outcome;
}

/** Connects if need be, proves, and asks. */
static int prove_and_ask(dms_session *session, const struct method *method, const struct text *params, struct view *result) {
  deadline end = after_ms(quick_timeout(session));
  struct text lines = {0};
  int outcome = fresh_connection(session, end);
  if (outcome == DMS_OK) outcome = check_broker(session, end, &lines);
  if (outcome == DMS_OK && !session->asks_with_proof) outcome = finish_proof(session, &lines, end);
  if (outcome == DMS_OK) outcome = ask(session, &lines, method, params, result);
  text_free(&lines);
  return outcome;
}

/**
 * Whether the request may be sent again on a new connection: the connection broke and sending twice does no harm, or
 * the broker says that it did not do it because the session had ended.
 */
static bool may_repeat(const dms_session *session, const struct method *method, int outcome) {
  const char *detail = session->failure.detail;
  if (outcome == DMS_BROKER_UNREACHABLE) return method->repeatable && strcmp(detail, "broker_unreachable") == 0;
  return outcome == DMS_NOT_PAIRED && strcmp(detail, "session_not_authenticated") == 0;
}

static int call(dms_session *session, const struct method *method, const struct text *params, struct view *result) {
  forget_answers(session);
  if (params->failed) return out_of_memory(session);
  if (!session->has_key || session->pairing_wait_id != 0)
    return fail(session, DMS_NOT_PAIRED, "not_paired", "session_not_authenticated", "The session is not authenticated.",
                "Pair the program, or authenticate it, first.");
  if (!session->authenticated || pipe_is_over(session->pipe)) {
    int outcome = prove_and_ask(session, method, params, result);
    return outcome == DMS_OK ? succeed(session) : outcome;
  }
  struct text line = {0};
  int outcome = ask(session, &line, method, params, result);
  text_free(&line);
  if (may_repeat(session, method, outcome)) outcome = prove_and_ask(session, method, params, result);
  return outcome == DMS_OK ? succeed(session) : outcome;
}

/** Checks texts that come from the program. `name` is for the message. */
static int check_text(dms_session *session, const char *name, const char *value, bool required) {
  char message[96];
  bool empty = value == NULL || *value == '\0';
  if (empty && !required) return DMS_OK;
  if (!empty && is_utf8(value)) return DMS_OK;
  snprintf(message, sizeof message, empty ? "%s is missing." : "%s is not UTF-8.", name);
  return bad_argument(session, message);
}

/** Begins the parameters with a selector. The object is not closed yet. */
static int write_selector(dms_session *session, struct text *params, const char *provider, const char *user, const char *environment) {
  int outcome = check_text(session, "provider", provider, true);
  if (outcome == DMS_OK) outcome = check_text(session, "user", user, true);
  if (outcome == DMS_OK) outcome = check_text(session, "environment", environment, false);
  if (outcome != DMS_OK) return outcome;
  text_add(params, "{");
  json_write_member(params, "provider", provider);
  json_write_member(params, "user", user);
  json_write_member(params, "environment", environment);
  return DMS_OK;
}

/** Whether a header may be sent as it is: a token, and a value without line ends (RFC 9110 section 5). */
static bool is_header(const char *name, const char *value) {
  static const char allowed[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  if (*name == '\0' || strspn(name, allowed) != strlen(name)) return false;
  for (; *value != '\0'; value++)
    if (((uint8_t)*value < 0x20 && *value != '\t') || *value == 0x7f) return false;
  return true;
}

static bool take_headers(struct view headers, struct text *lines) {
  struct view name, value;
  const char *at = headers.start;
  if (!json_is_object(headers)) return false;
  while (json_next_member(headers, &at, &name, &value)) {
    struct text name_text = {0}, value_text = {0};
    bool good = json_text(name, &name_text) && json_text(value, &value_text) && is_header(text_of(&name_text), text_of(&value_text));
    if (good) {
      text_append(lines, text_of(&name_text), name_text.length);
      text_add(lines, ": ");
      text_append(lines, text_of(&value_text), value_text.length);
      text_add(lines, "\r\n");
    }
    text_free(&name_text);
    text_free(&value_text);
    if (!good) return false;
  }
  return !lines->failed;
}

static int take_token(dms_session *session, struct view result) {
  struct view headers;
  bool good = json_member_text(result, "accessToken", &session->access_token) && session->access_token.length > 0 &&
              json_member_text(result, "tokenType", &session->token_type) && strcmp(text_of(&session->token_type), "Bearer") == 0 &&
              json_member_text(result, "tokenId", &session->token_id) && json_member_integer(result, "expiresAt", &session->expires_at) &&
              json_member_integer(result, "expiresInSeconds", &session->expires_in) && json_member(result, "headers", &headers) &&
              take_headers(headers, &session->headers);
  /* The line holds a token as well. */
  wipe(session->received.data, session->line_size);
  if (good) return DMS_OK;
  forget_answers(session);
  return answer_invalid(session);
}

static int call_for_token(dms_session *session, const struct method *method, struct text *params) {
  struct view result;
  text_add(params, "}");
  int outcome = call(session, method, params, &result);
  return outcome == DMS_OK ? take_token(session, result) : outcome;
}

static int call_for_answer(dms_session *session, const struct method *method, const struct text *params) {
  struct view result;
  int outcome = call(session, method, params, &result);
  if (outcome != DMS_OK) return outcome;
  text_append(&session->answer, result.start, (size_t)(result.end - result.start));
  return session->answer.failed ? out_of_memory(session) : DMS_OK;
}

static int call_with_selector(dms_session *session, const struct method *method, const char *provider, const char *user,
                              const char *environment, const char *organisation) {
  struct text params = {0};
  int outcome = session == NULL ? DMS_BAD_ARGUMENT : write_selector(session, &params, provider, user, environment);
  if (outcome == DMS_OK) outcome = check_text(session, "organisation", organisation, false);
  if (outcome == DMS_OK) {
    json_write_member(&params, "organisation", organisation);
    text_add(&params, "}");
    outcome = call_for_answer(session, method, &params);
  }
  text_free(&params);
  return outcome;
}

static int call_without_params(dms_session *session, const struct method *method) {
  struct text params = {0};
  if (session == NULL) return DMS_BAD_ARGUMENT;
  text_add(&params, "{}");
  int outcome = call_for_answer(session, method, &params);
  text_free(&params);
  return outcome;
}

/* ---------------------------------------------------------------- public functions: session */

dms_session *DMS_CALL dms_new(void) {
  dms_session *session = calloc(1, sizeof *session);
  if (session == NULL) return NULL;
  session->pipe = NO_PIPE;
  session->timeout_ms = DEFAULT_TIMEOUT_MS;
  succeed(session);
  return session;
}

void DMS_CALL dms_free(dms_session *session) {
  if (session == NULL) return;
  dms_close(session);
  text_free(&session->pipe_name);
  text_free(&session->received);
  text_free(&session->client_id);
  text_free(&session->client_key);
  text_free(&session->pairing_code);
  text_free(&session->access_token);
  text_free(&session->token_type);
  text_free(&session->token_id);
  text_free(&session->headers);
  text_free(&session->answer);
  text_free(&session->answer_value);
  wipe(session, sizeof *session);
  free(session);
}

int DMS_CALL dms_set_timeout(dms_session *session, int milliseconds) {
  if (session == NULL) return DMS_BAD_ARGUMENT;
  if (milliseconds <= 0) return bad_argument(session, "The time must be more than 0 milliseconds.");
  session->timeout_ms = milliseconds;
  return succeed(session);
}

int DMS_CALL dms_open(dms_session *session, const char *pipe_name) {
  struct text chosen = {0};
  if (session == NULL) return DMS_BAD_ARGUMENT;
  int outcome = check_text(session, "pipe_name", pipe_name, false);
  if (outcome != DMS_OK) return outcome;
  /* Copied first: the given text may be the session's own. */
  if (pipe_name != NULL) text_add(&chosen, pipe_name);
  dms_close(session);
  text_free(&session->pipe_name);
  session->pipe_name = chosen;
  session->finds_pipe = chosen.length == 0 && !chosen.failed;
  outcome = connect_pipe(session, after_ms(quick_timeout(session)));
  return outcome == DMS_OK ? succeed(session) : outcome;
}

const char *DMS_CALL dms_pipe_name(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->pipe_name);
}

void DMS_CALL dms_close(dms_session *session) {
  if (session == NULL) return;
  disconnect(session);
  forget_answers(session);
  forget_key(session);
  text_clear(&session->pairing_code);
  text_clear(&session->pipe_name);
  session->pairing_seconds = 0;
  session->finds_pipe = false;
}

/* ---------------------------------------------------------------- public functions: pairing and credentials */

static bool is_six_digits(const char *code) {
  return strlen(code) == 6 && strspn(code, "0123456789") == 6;
}

/** Sends pairing.wait; its answer comes when the person has decided. */
static int begin_waiting(dms_session *session, const char *pairing_id, deadline end) {
  struct text params = {0}, line = {0};
  text_add(&params, "{");
  json_write_member(&params, "pairingId", pairing_id);
  text_add(&params, "}");
  int outcome = add_request(session, &line, "pairing.wait", &params);
  if (outcome == DMS_OK) outcome = send_requests(session, &line, end);
  if (outcome == DMS_OK) session->pairing_wait_id = session->last_id;
  session->pairing_end = after_ms((int64_t)session->pairing_seconds * 1000 + session->timeout_ms);
  text_free(&params);
  text_free(&line);
  return outcome;
}

static int request_pairing(dms_session *session, const struct text *params, deadline end) {
  struct view result;
  struct text pairing_id = {0};
  int64_t seconds = 0;
  int outcome = exchange(session, "pairing.request", params, MAX_ANSWER, end, &result);
  if (outcome != DMS_OK) return outcome;
  bool good = json_member_text(result, "pairingId", &pairing_id) && json_member_text(result, "code", &session->pairing_code) &&
              is_six_digits(text_of(&session->pairing_code)) && json_member_integer(result, "expiresInSeconds", &seconds) && seconds >= 0;
  session->pairing_seconds = seconds > LONGEST_PAIRING_S ? LONGEST_PAIRING_S : (int)seconds;
  if (!good) {
    text_clear(&session->pairing_code);
    disconnect(session);
  }
  outcome = good ? begin_waiting(session, text_of(&pairing_id), end) : answer_invalid(session);
  text_free(&pairing_id);
  return outcome;
}

int DMS_CALL dms_pair_start(dms_session *session, const char *name, const char *publisher, const char *reason) {
  struct text params = {0};
  if (session == NULL) return DMS_BAD_ARGUMENT;
  int outcome = check_text(session, "name", name, true);
  if (outcome == DMS_OK) outcome = check_text(session, "publisher", publisher, false);
  if (outcome == DMS_OK) outcome = check_text(session, "reason", reason, false);
  if (outcome != DMS_OK) return outcome;
  text_add(&params, "{");
  json_write_member(&params, "name", name);
  json_write_member(&params, "publisher", publisher);
  json_write_member(&params, "reason", reason);
  text_add(&params, "}");
  forget_answers(session);
  forget_key(session);
  text_clear(&session->pairing_code);
  deadline end = after_ms(quick_timeout(session));
  outcome = fresh_connection(session, end);
  if (outcome == DMS_OK) outcome = request_pairing(session, &params, end);
  text_free(&params);
  return outcome == DMS_OK ? succeed(session) : outcome;
}

const char *DMS_CALL dms_pairing_code(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->pairing_code);
}

int DMS_CALL dms_pairing_seconds(const dms_session *session) {
  return session == NULL ? 0 : session->pairing_seconds;
}

/** Keeps the key. The proofs wait for the next call, so that the program can save a key that was handed out only once. */
static int take_pairing(dms_session *session, struct view result) {
  struct text id = {0}, key = {0};
  int outcome = DMS_INTERNAL_ERROR;
  if (json_member_text(result, "clientId", &id) && json_member_text(result, "clientKey", &key))
    outcome = take_key(session, text_of(&id), text_of(&key));
  text_free(&id);
  text_free(&key);
  session->asks_with_proof = outcome == DMS_OK;
  return outcome == DMS_OK ? succeed(session) : answer_invalid(session);
}

int DMS_CALL dms_pair_wait(dms_session *session, int milliseconds) {
  struct view message, result;
  if (session == NULL) return DMS_BAD_ARGUMENT;
  if (session->pairing_wait_id == 0) return bad_argument(session, "No pairing was started.");
  deadline end = after_ms(milliseconds < 0 ? 0 : milliseconds);
  enum io answered = await_answer(session, session->pairing_wait_id, MAX_ANSWER, end, &message);
  if (answered == IO_TIMED_OUT && remaining_ms(session->pairing_end) > 0) return fail(session, DMS_PENDING, "", "", "", "");
  if (answered != IO_OK) return lost(session, answered);
  int outcome = read_answer(session, message, &result);
  if (outcome == DMS_OK) outcome = take_pairing(session, result);
  /* Its 5 seconds run again: whatever comes next gets a connection of its own. */
  disconnect(session);
  return outcome;
}

const char *DMS_CALL dms_client_id(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->client_id);
}

const char *DMS_CALL dms_client_key(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->client_key);
}

int DMS_CALL dms_authenticate(dms_session *session, const char *client_id, const char *client_key) {
  if (session == NULL) return DMS_BAD_ARGUMENT;
  forget_answers(session);
  int outcome = take_key(session, client_id, client_key);
  if (outcome != DMS_OK) return outcome;
  deadline end = after_ms(quick_timeout(session));
  outcome = fresh_connection(session, end);
  if (outcome == DMS_OK) outcome = prove(session, end);
  if (outcome != DMS_OK) forget_key(session);
  return outcome;
}

/** Reads what dms_credentials_save has written. */
static int read_credentials(dms_session *session, const char *file, struct text *id, struct text *key) {
  struct text content = {0};
  bool open_to_others = false;
  int outcome = check_text(session, "file", file, true);
  if (outcome != DMS_OK) return outcome;
  bool found = read_whole_file(file, &content, &open_to_others) && !content.failed;
  struct view text = {text_of(&content), text_of(&content) + content.length};
  found = found && json_check(&text) && json_member_text(text, "clientId", id) && json_member_text(text, "clientKey", key) &&
          is_client_id(text_of(id)) && is_key(text_of(key));
  text_free(&content);
  if (open_to_others)
    return fail(session, DMS_NOT_PAIRED, "not_paired", "credentials_open_to_others", "The credentials file can be read by other users.",
                "Set its mode to 0600. If others may have read it, remove the program in DMS Connect and pair again.");
  if (found) return DMS_OK;
  return fail(session, DMS_NOT_PAIRED, "not_paired", "credentials_missing", "There are no credentials in the file.",
              "Pair the program first and approve it in DMS Connect.");
}

int DMS_CALL dms_authenticate_with_file(dms_session *session, const char *file) {
  struct text id = {0}, key = {0};
  if (session == NULL) return DMS_BAD_ARGUMENT;
  int outcome = read_credentials(session, file, &id, &key);
  if (outcome == DMS_OK) outcome = dms_authenticate(session, text_of(&id), text_of(&key));
  text_free(&id);
  text_free(&key);
  return outcome;
}

int DMS_CALL dms_credentials_load(dms_session *session, const char *file) {
  struct text id = {0}, key = {0};
  if (session == NULL) return DMS_BAD_ARGUMENT;
  int outcome = read_credentials(session, file, &id, &key);
  if (outcome == DMS_OK) outcome = take_key(session, text_of(&id), text_of(&key));
  text_free(&id);
  text_free(&key);
  if (outcome != DMS_OK) return outcome;
  /* What was proved before was another key. */
  if (session->authenticated || session->proof_id != 0 || session->pairing_wait_id != 0) disconnect(session);
  forget_answers(session);
  session->asks_with_proof = true;
  return succeed(session);
}

int DMS_CALL dms_credentials_save(dms_session *session, const char *file) {
  struct text content = {0};
  if (session == NULL) return DMS_BAD_ARGUMENT;
  int outcome = check_text(session, "file", file, true);
  if (outcome != DMS_OK) return outcome;
  if (!session->has_key) return bad_argument(session, "There are no credentials to save.");
  text_add(&content, "{");
  json_write_member(&content, "clientId", text_of(&session->client_id));
  json_write_member(&content, "clientKey", text_of(&session->client_key));
  text_add(&content, "}\n");
  bool written = !content.failed && replace_file(file, &content);
  text_free(&content);
  if (written) return succeed(session);
  return fail(session, DMS_INTERNAL_ERROR, "internal_error", "credentials_not_written", "The credentials could not be written.",
              "Make the folder writable or choose another file, and pair again.");
}

/* ---------------------------------------------------------------- public functions: tokens and connections */

int DMS_CALL dms_token_get(dms_session *session, const char *provider, const char *user, const char *environment, const char *organisation,
                           int min_validity_seconds) {
  static const struct method method = {"token.get", MAX_ANSWER, true, true};
  struct text params = {0};
  int outcome = session == NULL ? DMS_BAD_ARGUMENT : write_selector(session, &params, provider, user, environment);
  if (outcome == DMS_OK) outcome = check_text(session, "organisation", organisation, false);
  if (outcome == DMS_OK) {
    json_write_member(&params, "organisation", organisation);
    if (min_validity_seconds >= 0) {
      json_write_name(&params, "minValiditySeconds");
      text_add_number(&params, min_validity_seconds);
    }
    outcome = call_for_token(session, &method, &params);
  } else if (session != NULL) forget_answers(session);
  text_free(&params);
  return outcome;
}

int DMS_CALL dms_token_rejected(dms_session *session, const char *provider, const char *user, const char *environment,
                                const char *organisation, const char *token_id) {
  static const struct method method = {"token.rejected", MAX_ANSWER, false, true};
  struct text params = {0};
  int outcome = session == NULL ? DMS_BAD_ARGUMENT : write_selector(session, &params, provider, user, environment);
  if (outcome == DMS_OK) outcome = check_text(session, "organisation", organisation, false);
  if (outcome == DMS_OK) outcome = check_text(session, "token_id", token_id, true);
  if (outcome == DMS_OK) {
    json_write_member(&params, "organisation", organisation);
    json_write_member(&params, "tokenId", token_id);
    outcome = call_for_token(session, &method, &params);
  } else if (session != NULL) forget_answers(session);
  text_free(&params);
  return outcome;
}

const char *DMS_CALL dms_access_token(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->access_token);
}

const char *DMS_CALL dms_token_type(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->token_type);
}

const char *DMS_CALL dms_token_id(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->token_id);
}

const char *DMS_CALL dms_headers(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->headers);
}

int64_t DMS_CALL dms_expires_at(const dms_session *session) {
  return session == NULL ? 0 : session->expires_at;
}

int DMS_CALL dms_expires_in(const dms_session *session) {
  int64_t seconds = session == NULL ? 0 : session->expires_in;
  return seconds > INT32_MAX ? INT32_MAX : seconds < 0 ? 0 : (int)seconds;
}

int DMS_CALL dms_connection_list(dms_session *session) {
  static const struct method method = {"connection.list", MAX_LIST_ANSWER, true, false};
  return call_without_params(session, &method);
}

int DMS_CALL dms_connection_get(dms_session *session, const char *provider, const char *user, const char *environment) {
  static const struct method method = {"connection.get", MAX_ANSWER, true, false};
  return call_with_selector(session, &method, provider, user, environment, NULL);
}

int DMS_CALL dms_connect_start(dms_session *session, const char *provider, const char *user, const char *environment,
                               const char *organisation) {
  static const struct method method = {"connect.start", MAX_ANSWER, false, false};
  return call_with_selector(session, &method, provider, user, environment, organisation);
}

int DMS_CALL dms_connect_cancel(dms_session *session, const char *provider, const char *user, const char *environment) {
  static const struct method method = {"connect.cancel", MAX_ANSWER, false, false};
  return call_with_selector(session, &method, provider, user, environment, NULL);
}

int DMS_CALL dms_connection_revoke(dms_session *session, const char *provider, const char *user, const char *environment) {
  static const struct method method = {"connection.revoke", MAX_ANSWER, false, true};
  return call_with_selector(session, &method, provider, user, environment, NULL);
}

int DMS_CALL dms_connection_forget(dms_session *session, const char *provider, const char *user, const char *environment) {
  static const struct method method = {"connection.forget", MAX_ANSWER, false, false};
  return call_with_selector(session, &method, provider, user, environment, NULL);
}

int DMS_CALL dms_broker_status(dms_session *session) {
  static const struct method method = {"broker.status", MAX_ANSWER, true, false};
  return call_without_params(session, &method);
}

const char *DMS_CALL dms_answer(const dms_session *session) {
  return session == NULL ? "" : text_of(&session->answer);
}

const char *DMS_CALL dms_answer_value(dms_session *session, const char *path) {
  if (session == NULL || path == NULL || session->answer.length == 0) return "";
  struct view value = {session->answer.data, session->answer.data + session->answer.length};
  text_clear(&session->answer_value);
  if (!json_at_path(&value, path)) return "";
  if (*value.start != '"') text_append(&session->answer_value, value.start, (size_t)(value.end - value.start));
  else if (!json_text(value, &session->answer_value)) text_clear(&session->answer_value);
  return text_of(&session->answer_value);
}

/* ---------------------------------------------------------------- public functions: failures and texts */

const char *DMS_CALL dms_last_code(const dms_session *session) {
  return session == NULL ? "invalid_request" : session->failure.code;
}

const char *DMS_CALL dms_last_detail(const dms_session *session) {
  return session == NULL ? "argument_invalid" : session->failure.detail;
}

const char *DMS_CALL dms_last_message(const dms_session *session) {
  return session == NULL ? "There is no session." : session->failure.message;
}

const char *DMS_CALL dms_last_remedy(const dms_session *session) {
  return session == NULL ? "Correct the program that uses DMS Connect." : session->failure.remedy;
}

int DMS_CALL dms_last_retryable(const dms_session *session) {
  return session != NULL && session->failure.retryable ? 1 : 0;
}

int DMS_CALL dms_last_retry_after(const dms_session *session) {
  return session == NULL ? -1 : session->failure.retry_after;
}

int DMS_CALL dms_copy_text(const char *text, char *buffer, int size) {
  size_t needed = text == NULL ? 1 : strlen(text) + 1;
  if (needed > INT32_MAX) needed = INT32_MAX;
  if (buffer == NULL || size <= 0) return (int)needed;
  if (text == NULL || needed > (size_t)size) buffer[0] = '\0';
  else memcpy(buffer, text, needed);
  return (int)needed;
}

/* ---------------------------------------------------------------- self-test */

static bool is_hex(const uint8_t digest[32], const char *hex) {
  char text[65];
  for (int i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
  return strcmp(text, hex) == 0;
}

static bool sha256_is_right(const char *message, int times, const char *hex) {
  struct sha256 hash;
  uint8_t digest[32];
  sha256_start(&hash);
  for (int i = 0; i < times; i++) sha256_add(&hash, message, strlen(message));
  sha256_end(&hash, digest);
  return is_hex(digest, hex);
}

static bool proof_is_right(const char *label, const char *text, const char *hex) {
  uint8_t key[KEY_BYTES], proof[KEY_BYTES], decoded[KEY_BYTES];
  char encoded[KEY_TEXT + 1];
  if (!base64url_decode("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", key)) return false;
  for (uint8_t i = 0; i < KEY_BYTES; i++)
    if (key[i] != i) return false;
  make_proof(key, label, "example-client", "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8", "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8", proof);
  base64url_encode(proof, encoded);
  return strcmp(encoded, text) == 0 && is_hex(proof, hex) && base64url_decode(text, decoded) &&
         equal_in_constant_time(decoded, proof, sizeof proof);
}

static bool hmac_is_right(void) {
  /* RFC 4231, test case 2 */
  struct hmac hmac;
  uint8_t digest[32];
  hmac_start(&hmac, (const uint8_t *)"Jefe", 4);
  sha256_add(&hmac.inner, "what do ya want for nothing?", 28);
  hmac_end(&hmac, digest);
  return is_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

int DMS_CALL dms_self_test(void) {
  /* FIPS 180-4 examples; a million times "a" runs through many blocks. */
  if (!sha256_is_right("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")) return 1;
  if (!sha256_is_right("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")) return 2;
  if (!sha256_is_right("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")) return 3;
  if (!hmac_is_right()) return 4;
  if (!proof_is_right("dms-connect/1 broker", "DTveaRRYR3kR1ISJ0ROfVLOjcjPCK7GSuGO45Byuhlg",
                      "0d3bde691458477911d48489d1139f54b3a37233c22bb192b863b8e41cae8658"))
    return 5;
  if (!proof_is_right("dms-connect/1 program", "f-NGBjus9G4LQZ-Dr-N-ACguBslPl_i-eMBQXZSsNak",
                      "7fe346063bacf46e0b419f83afe37e00282e06c94f97f8be78c0505d94ac35a9"))
    return 6;
  return 0;
}
