/*
 * dms-token: prints an access token from DMS Connect, and nothing else, so that scripts can use it.
 * A small program on dms_connect.h; its exit codes are those of dms-connect.
 *
 * Invariant: standard output holds results only; everything for a person goes to standard error. No token and no key
 * is printed but the token that was asked for.
 */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#else
#define _CRT_SECURE_NO_WARNINGS
#define WIN32_LEAN_AND_MEAN
#endif

#include "dms_connect.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
/* windows.h has to come first. */
#include <fcntl.h>
#include <io.h>
#endif

static const char usage[] =
    "usage: dms-token PROVIDER USER [--environment acceptance|production] [--organisation ID] [--min-validity SECONDS] [--header]\n"
    "       dms-token pair [--name NAME]\n"
    "       dms-token --self-test\n"
    "Both take --credentials FILE and --pipe NAME.\n";

static const char exit_codes[] =
    "\nExit codes: 0 done, 1 internal error, 2 bad usage, 3 not_paired, 4 not_permitted, 5 not_connected, 6 reconnect_required,\n"
    "7 provider_unavailable, 8 invalid_request, 9 rate_limited, 10 vault_locked, 11 shutting_down, 12 DMS Connect is not running,\n"
    "13 the program on the pipe is not DMS Connect.\n";

/* How long one look at a waiting pairing lasts; the person sees no difference. */
#define PAIRING_LOOK_MS 60000

struct options {
  const char *words[2];
  int word_count;
  const char *environment;
  const char *organisation;
  const char *min_validity;
  const char *credentials;
  const char *pipe;
  const char *name;
  bool header;
};

static int bad_usage(const char *problem, const char *what) {
  fprintf(stderr, "dms-token: invalid_usage: %s%s\n%s", what, problem, usage);
  return DMS_BAD_ARGUMENT;
}

/** Where the value of the option `name` belongs; NULL if there is no such option. */
static const char **place_of(struct options *options, const char *name, size_t length) {
  const struct {
    const char *name;
    const char **place;
  } known[] = {
      {"--environment", &options->environment}, {"--organisation", &options->organisation}, {"--min-validity", &options->min_validity},
      {"--credentials", &options->credentials}, {"--pipe", &options->pipe},                 {"--name", &options->name},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (strlen(known[i].name) == length && memcmp(known[i].name, name, length) == 0) return known[i].place;
  return NULL;
}

static int read_options(int count, char **arguments, struct options *options) {
  bool only_words = false;
  for (int i = 1; i < count; i++) {
    const char *argument = arguments[i];
    if (only_words || argument[0] != '-' || argument[1] == '\0') {
      if (options->word_count == 2) return bad_usage(argument, "unexpected argument: ");
      options->words[options->word_count++] = argument;
    } else if (strcmp(argument, "--") == 0) only_words = true;
    else if (strcmp(argument, "--header") == 0) options->header = true;
    else {
      const char *equals = strchr(argument, '=');
      const char **place = place_of(options, argument, equals == NULL ? strlen(argument) : (size_t)(equals - argument));
      if (place == NULL) return bad_usage(argument, "unknown option: ");
      *place = equals != NULL ? equals + 1 : i + 1 < count ? arguments[++i] : "";
      if (**place == '\0') return bad_usage(" needs a value", argument);
    }
  }
  return DMS_OK;
}

/** Seconds of --min-validity; -1 if it was not given, -2 if it is no number. */
static int read_min_validity(const char *text) {
  if (text == NULL) return -1;
  size_t length = strlen(text);
  return length <= 5 && strspn(text, "0123456789") == length ? atoi(text) : -2;
}

static const char *variable(const char *name) {
#if defined(_WIN32)
  /* UTF-8, as everything else: the C library would give the code page. Freed by the end of the program. */
  wchar_t wide_name[64], value[4096];
  static char result[3 * 4096];
  if (MultiByteToWideChar(CP_UTF8, 0, name, -1, wide_name, 64) == 0) return NULL;
  DWORD size = GetEnvironmentVariableW(wide_name, value, 4096);
  if (size == 0 || size >= 4096) return NULL;
  return WideCharToMultiByte(CP_UTF8, 0, value, -1, result, sizeof result, NULL, NULL) > 0 ? result : NULL;
#else
  const char *value = getenv(name);
  return value == NULL || *value == '\0' ? NULL : value;
#endif
}

/** Where dms-token keeps its own credentials; false if the path is too long, or there is no home. */
static bool default_credentials(char *file, size_t size) {
  int length = -1;
#if defined(_WIN32)
  const char *folder = variable("LOCALAPPDATA");
  if (folder != NULL) length = snprintf(file, size, "%s\\dms-token\\credentials.json", folder);
#else
  const char *folder = variable("XDG_CONFIG_HOME");
  const char *home = variable("HOME");
  if (folder != NULL && folder[0] == '/') length = snprintf(file, size, "%s/dms-token/credentials.json", folder);
  else if (home != NULL) length = snprintf(file, size, "%s/.config/dms-token/credentials.json", home);
#endif
  return length > 0 && (size_t)length < size;
}

static int report(const dms_session *session, int result) {
  fprintf(stderr, "dms-token: %s\nWhat to do: %s\n", dms_last_message(session), dms_last_remedy(session));
  if (dms_last_retry_after(session) >= 0) fprintf(stderr, "Try again in %d seconds.\n", dms_last_retry_after(session));
  fprintf(stderr, "Error: %s (%s)\n", dms_last_code(session), dms_last_detail(session));
  return result;
}

/** Prints `text` with LF as line ending. */
static int print(const char *text) {
  for (size_t length; *text != '\0'; text += length) {
    length = strcspn(text, "\r");
    if (fwrite(text, 1, length, stdout) != length) return DMS_INTERNAL_ERROR;
    if (text[length] == '\r') length++;
  }
  return fflush(stdout) == 0 ? DMS_OK : DMS_INTERNAL_ERROR;
}

static int token_command(dms_session *session, const struct options *options, const char *credentials) {
  int min_validity = read_min_validity(options->min_validity);
  if (min_validity == -2) return bad_usage("--min-validity must be a number of seconds", "");
  if (options->environment != NULL && strcmp(options->environment, "acceptance") != 0 && strcmp(options->environment, "production") != 0)
    return bad_usage("--environment must be one of acceptance, production", "");
  int result = dms_open(session, options->pipe);
  if (result == DMS_OK) result = dms_credentials_load(session, credentials);
  if (result == DMS_OK)
    result = dms_token_get(session, options->words[0], options->words[1], options->environment, options->organisation, min_validity);
  if (result != DMS_OK) return report(session, result);
  if (options->header) return print(dms_headers(session));
  result = print(dms_access_token(session));
  return result == DMS_OK ? print("\n") : result;
}

static int pair_command(dms_session *session, const struct options *options, const char *credentials) {
  int result = dms_open(session, options->pipe);
  if (result == DMS_OK) result = dms_pair_start(session, options->name == NULL ? "dms-token" : options->name, NULL, "Tokens for scripts");
  if (result != DMS_OK) return report(session, result);
  fprintf(stderr, "Code: %s\n", dms_pairing_code(session));
  fprintf(stderr, "Open DMS Connect, compare the code and approve within %d seconds.\n", dms_pairing_seconds(session));
  do result = dms_pair_wait(session, PAIRING_LOOK_MS);
  while (result == DMS_PENDING);
  if (result == DMS_OK) result = dms_credentials_save(session, credentials);
  if (result != DMS_OK) return report(session, result);
  printf("Paired. The credentials are in %s.\n", credentials);
  return fflush(stdout) == 0 ? DMS_OK : DMS_INTERNAL_ERROR;
}

static int run_command(const struct options *options) {
  char file[8192];
  bool pairs = options->word_count > 0 && strcmp(options->words[0], "pair") == 0;
  if (pairs && options->word_count > 1) return bad_usage(options->words[1], "unexpected argument: ");
  if (!pairs && options->word_count == 0) return bad_usage("PROVIDER is missing", "");
  if (!pairs && options->word_count == 1) return bad_usage("USER is missing", "");
  if (pairs ? options->header || options->environment || options->organisation || options->min_validity : options->name != NULL)
    return bad_usage("this option belongs to the other command", "");
  if (options->credentials == NULL && !default_credentials(file, sizeof file)) return bad_usage("--credentials is missing", "");
  dms_session *session = dms_new();
  if (session == NULL) return DMS_INTERNAL_ERROR;
  const char *credentials = options->credentials == NULL ? file : options->credentials;
  int result = pairs ? pair_command(session, options, credentials) : token_command(session, options, credentials);
  dms_free(session);
  return result;
}

static int run(int count, char **arguments) {
  struct options options = {0};
  if (count == 2 && strcmp(arguments[1], "--help") == 0) {
    printf("%s%s", usage, exit_codes);
    return DMS_OK;
  }
  if (count == 2 && strcmp(arguments[1], "--self-test") == 0) {
    int wrong = dms_self_test();
    if (wrong == 0) printf("The test vectors are right.\n");
    else fprintf(stderr, "dms-token: test vector %d is wrong: this build must not be used.\n", wrong);
    return wrong == 0 ? DMS_OK : DMS_INTERNAL_ERROR;
  }
  int result = read_options(count, arguments, &options);
  return result == DMS_OK ? run_command(&options) : result;
}

#if defined(_WIN32)

int wmain(int count, wchar_t **wide_arguments) {
  char **arguments = calloc((size_t)count + 1, sizeof *arguments);
  if (arguments == NULL) return DMS_INTERNAL_ERROR;
  for (int i = 0; i < count; i++) {
    int size = WideCharToMultiByte(CP_UTF8, 0, wide_arguments[i], -1, NULL, 0, NULL, NULL);
    arguments[i] = malloc(size > 0 ? (size_t)size : 1);
    if (arguments[i] == NULL || size <= 0) return DMS_INTERNAL_ERROR;
    WideCharToMultiByte(CP_UTF8, 0, wide_arguments[i], -1, arguments[i], size, NULL, NULL);
  }
  /* The same bytes as everywhere, and no copy of the token in a buffer that is not wiped. */
  _setmode(_fileno(stdout), _O_BINARY);
  setvbuf(stdout, NULL, _IONBF, 0);
  int result = run(count, arguments);
  for (int i = 0; i < count; i++) free(arguments[i]);
  free(arguments);
  return result;
}

#else

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IONBF, 0);
  return run(count, arguments);
}

#endif
