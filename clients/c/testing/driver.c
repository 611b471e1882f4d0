/*
 * Plays a DMS program for tests: reads commands from standard input, one a line, words separated by tabs; runs each with
 * dms_connect.h and prints one JSON object with everything that can be asked afterwards. "-" stands for NULL.
 */
#include "../dms_connect.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS 8
/* Longer than the longest request, so that too long ones can be tried. */
#define MAX_COMMAND 200000

static void print_string(const char *name, const char *text) {
  printf(",\"%s\":\"", name);
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\') printf("\\%c", *text);
    else if ((unsigned char)*text < 0x20) printf("\\u%04x", (unsigned)(unsigned char)*text);
    else putchar(*text);
  }
  putchar('"');
}

/** What the last command "value" gave. */
static const char *value = "";

static void report(const dms_session *session, int result) {
  printf("{\"result\":%d", result);
  print_string("code", dms_last_code(session));
  print_string("detail", dms_last_detail(session));
  print_string("message", dms_last_message(session));
  print_string("remedy", dms_last_remedy(session));
  printf(",\"retryable\":%d,\"retryAfter\":%d", dms_last_retryable(session), dms_last_retry_after(session));
  print_string("accessToken", dms_access_token(session));
  print_string("tokenType", dms_token_type(session));
  print_string("tokenId", dms_token_id(session));
  print_string("headers", dms_headers(session));
  printf(",\"expiresAt\":%lld,\"expiresIn\":%d", (long long)dms_expires_at(session), dms_expires_in(session));
  print_string("answer", dms_answer(session));
  print_string("value", value);
  print_string("pairingCode", dms_pairing_code(session));
  printf(",\"pairingSeconds\":%d", dms_pairing_seconds(session));
  print_string("clientId", dms_client_id(session));
  print_string("clientKey", dms_client_key(session));
  print_string("pipeName", dms_pipe_name(session));
  printf("}\n");
  fflush(stdout);
}

static int number(const char *word) {
  return word == NULL ? -1 : atoi(word);
}

static bool is(const char *word, const char *name) {
  return strcmp(word, name) == 0;
}

/** Selectors are: provider, user, environment, organisation. */
static int run(dms_session *session, char **words) {
  const char *command = words[0], *a = words[1], *b = words[2], *c = words[3], *d = words[4], *e = words[5];
  value = is(command, "value") ? dms_answer_value(session, a) : "";
  if (is(command, "timeout")) return dms_set_timeout(session, number(a));
  if (is(command, "open")) return dms_open(session, a);
  if (is(command, "open-again")) return dms_open(session, dms_pipe_name(session));
  if (is(command, "authenticate")) return dms_authenticate(session, a, b);
  if (is(command, "authenticate-again")) return dms_authenticate(session, dms_client_id(session), dms_client_key(session));
  if (is(command, "authenticate-with-file")) return dms_authenticate_with_file(session, a);
  if (is(command, "load")) return dms_credentials_load(session, a);
  if (is(command, "save")) return dms_credentials_save(session, a);
  if (is(command, "pair-start")) return dms_pair_start(session, a, b, c);
  if (is(command, "pair-wait")) return dms_pair_wait(session, number(a));
  if (is(command, "token")) return dms_token_get(session, a, b, c, d, number(e));
  if (is(command, "rejected")) return dms_token_rejected(session, a, b, c, d, e == NULL ? dms_token_id(session) : e);
  if (is(command, "list")) return dms_connection_list(session);
  if (is(command, "get")) return dms_connection_get(session, a, b, c);
  if (is(command, "start")) return dms_connect_start(session, a, b, c, d);
  if (is(command, "cancel")) return dms_connect_cancel(session, a, b, c);
  if (is(command, "revoke")) return dms_connection_revoke(session, a, b, c);
  if (is(command, "forget")) return dms_connection_forget(session, a, b, c);
  if (is(command, "status")) return dms_broker_status(session);
  if (is(command, "self-test")) return dms_self_test();
  if (is(command, "without-session")) return dms_token_get(NULL, a, b, NULL, NULL, -1);
  if (is(command, "close")) dms_close(session);
  return 0;
}

static void split(char *line, char **words) {
  line[strcspn(line, "\r\n")] = '\0';
  for (int i = 0; i < MAX_WORDS; i++) {
    char *tab = line == NULL ? NULL : strchr(line, '\t');
    if (tab != NULL) *tab = '\0';
    words[i] = line == NULL || is(line, "-") ? NULL : line;
    line = tab == NULL ? NULL : tab + 1;
  }
}

int main(void) {
  static char line[MAX_COMMAND];
  dms_session *session = dms_new();
  if (session == NULL) return 1;
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *words[MAX_WORDS];
    split(line, words);
    if (words[0] != NULL) report(session, run(session, words));
  }
  dms_free(session);
  return 0;
}
