/*
 * A connection for each token, in C on both sides of the comparison: DMS Connect's own client library (clients/c), and
 * oidc-agent's own (liboidc-agent). Each call connects, gets a cached token and closes. What is compared is measured in
 * turn, in portions, so that a busy computer slows all.
 *
 * connect-clients PIPE CREDENTIALS PROVIDER USER ORGANISATION ROUNDS PORTION [ACCOUNT]
 *
 * With an account of an oidc-agent, whose socket is in OIDC_SOCK as its own programs expect it, that is measured, too.
 * Prints a line for each call, after a warm-up of a tenth: the name of the work, and milliseconds.
 */
#define _POSIX_C_SOURCE 200809L
#include "dms_connect.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Of the API of liboidc-agent.so.4 (oidc-agent/api.h), which is loaded if it is there: its headers need not be. */
struct token_response {
  char *token;
  char *issuer;
  time_t expires_at;
};
typedef struct token_response (*get_token_response)(const char *account, time_t min_valid_period, const char *scope, const char *hint,
                                                    const char *audience);
typedef void (*free_token_response)(struct token_response response);

static const char *pipe_name, *credentials, *provider, *user, *organisation, *account;
static get_token_response oidc_token;
static free_token_response oidc_free;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

/* Connect, mutual proof, token, close. The request goes with the proof. */
static void dms_connect_token(void) {
  dms_session *session = dms_new();
  if (session == NULL || dms_open(session, pipe_name) != DMS_OK || dms_credentials_load(session, credentials) != DMS_OK ||
      dms_token_get(session, provider, user, NULL, organisation, -1) != DMS_OK)
    fail("DMS Connect", session == NULL ? "no memory" : dms_last_message(session));
  if (strlen(dms_access_token(session)) < 1000) fail("DMS Connect", "the token is too short");
  dms_free(session);
}

/* As oidc-token does, and every program that uses the library: over a channel that client and agent encrypt. */
static void oidc_agent_library(void) {
  struct token_response response = oidc_token(account, 0, NULL, "bench", NULL);
  if (response.token == NULL || strlen(response.token) < 1000) fail("oidc-agent", "no token");
  oidc_free(response);
}

/* The same request as plain JSON, which the agent takes, too. */
static void oidc_agent_plain(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = getenv("OIDC_SOCK");
  char request[512], answer[8192];
  size_t length = 0;
  int size = snprintf(request, sizeof request, "{\"request\":\"access_token\",\"account\":\"%s\",\"min_valid_period\":0}", account);
  int file = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path == NULL ? "" : path);
  if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof address) != 0 || write(file, request, (size_t)size) != size)
    fail("oidc-agent", "cannot be asked");
  while (length < sizeof answer - 1) {
    ssize_t got = read(file, answer + length, sizeof answer - 1 - length);
    if (got <= 0) break;
    length += (size_t)got;
    answer[length] = '\0';
    if (strstr(answer, "\"expires_at\"") != NULL && strchr(answer + length - 2, '}') != NULL) break;
  }
  close(file);
  if (length < 1000 || strstr(answer, "\"access_token\"") == NULL) fail("oidc-agent", "no token");
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static const struct {
  const char *name;
  void (*run)(void);
} works[] = {{"dmsConnect", dms_connect_token}, {"oidcAgent", oidc_agent_library}, {"oidcAgentPlain", oidc_agent_plain}};

int main(int count, char **arguments) {
  if (count < 8) fail("usage", "connect-clients PIPE CREDENTIALS PROVIDER USER ORGANISATION ROUNDS PORTION [ACCOUNT]");
  pipe_name = arguments[1];
  credentials = arguments[2];
  provider = arguments[3];
  user = arguments[4];
  organisation = arguments[5];
  int rounds = atoi(arguments[6]), portion = atoi(arguments[7]);
  account = count > 8 ? arguments[8] : NULL;
  if (account != NULL) {
    void *library = dlopen("liboidc-agent.so.4", RTLD_NOW);
    if (library == NULL) fail("oidc-agent", "its library is not installed");
    /* POSIX lets functions be found this way; ISO C knows no conversion for it. */
    *(void **)&oidc_token = dlsym(library, "getTokenResponse3");
    *(void **)&oidc_free = dlsym(library, "secFreeTokenResponse");
    if (oidc_token == NULL || oidc_free == NULL) fail("oidc-agent", "its library is another one");
  }
  size_t measured = account == NULL ? 1 : sizeof works / sizeof works[0];
  for (int round = -rounds / 10; round < rounds; round++)
    for (size_t work = 0; work < measured; work++)
      for (int one = 0; one < portion; one++) {
        double start = now_ms();
        works[work].run();
        double end = now_ms();
        if (round >= 0) printf("%s %.4f\n", works[work].name, end - start);
      }
  return 0;
}
