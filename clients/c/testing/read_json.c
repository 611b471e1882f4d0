/*
 * Shows what the JSON reader of dms_connect.c makes of a text: reads texts from standard input, each after its length as
 * four bytes (little end first), and prints for each "invalid", or "valid" and, for an object, its member "a": as text in
 * hex, as integer, or "-" for each that it is not.
 */
#include "../dms_connect.c"

static bool read_text(char **bytes, size_t *size) {
  uint8_t length[4];
  if (fread(length, 1, 4, stdin) != 4) return false;
  *size = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
  /* Exactly as long as the text, so that reading beyond its end is noticed. */
  *bytes = malloc(*size > 0 ? *size : 1);
  return *bytes != NULL && fread(*bytes, 1, *size, stdin) == *size;
}

static void show(struct view text) {
  struct view value;
  struct text words = {0};
  int64_t number;
  if (!json_check(&text)) {
    printf("invalid\n");
    return;
  }
  printf("valid");
  if (json_member(text, "a", &value)) {
    bool is_text = json_text(value, &words);
    printf(is_text ? " x" : " -");
    for (size_t i = 0; is_text && i < words.length; i++) printf("%02x", (unsigned)(uint8_t)words.data[i]);
    if (json_integer(value, &number)) printf(" %lld", (long long)number);
    else printf(" -");
  }
  printf("\n");
  text_free(&words);
}

int main(void) {
  char *bytes = NULL;
  size_t size = 0;
  while (read_text(&bytes, &size)) {
    struct view text = {bytes, bytes + size};
    show(text);
    free(bytes);
    bytes = NULL;
  }
  free(bytes);
  return 0;
}
