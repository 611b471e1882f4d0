/*
 * A small DMS program: pairs, and gets tokens. It speaks the commands of clients/conformance.md.
 *
 *   sample pair NAME                 shows the code, waits for approval, stores the credentials
 *   sample token PROVIDER USER       prints an access token, and nothing else
 *   sample rejected PROVIDER USER    reports that token as refused by the API, prints the new one
 *   sample session                   reads "PROVIDER USER" lines, prints "USER ok TOKEN" or "USER error WORD"
 *
 * The credentials are kept in the file DMS_CONNECT_CREDENTIALS. A real program does not print tokens: it sends
 * dms_headers with its API call.
 *
 * A session serves one thread at a time. `session` shows how a program with many threads does it: each takes a session
 * that is free, or opens one, so that a user whose token takes long holds up nobody.
 */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L
#endif
#define _CRT_SECURE_NO_WARNINGS

#include "dms_connect.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>
typedef HANDLE thread;
typedef CRITICAL_SECTION mutex;
#define THREAD_RESULT DWORD WINAPI
#else
#include <pthread.h>
typedef pthread_t thread;
typedef pthread_mutex_t mutex;
#define THREAD_RESULT void *
#endif

/* Far below the broker's 64 sessions a program. More lines at once wait for their turn. */
#define MAX_WORKERS 16
#define MAX_LINE 1024

/** Prints what went wrong, for a person. Returns the exit code. */
static int report(const dms_session *session) {
  fprintf(stderr, "sample: %s %s [%s, %s]\n", dms_last_message(session), dms_last_remedy(session), dms_last_code(session), dms_last_detail(session));
  if (dms_last_retry_after(session) >= 0) fprintf(stderr, "Try again in %d seconds.\n", dms_last_retry_after(session));
  return 1;
}

static const char *credentials_file(void) {
  const char *file = getenv("DMS_CONNECT_CREDENTIALS");
  return file == NULL || *file == '\0' ? "sample-credentials.json" : file;
}

static dms_session *new_session(void) {
  dms_session *session = dms_new();
  const char *seconds = getenv("DMS_CONNECT_TIMEOUT_SECONDS");
  if (session == NULL) abort();
  if (seconds != NULL && atoi(seconds) > 0) dms_set_timeout(session, atoi(seconds) * 1000);
  return session;
}

static int open_session(dms_session *session) {
  int result = dms_open(session, NULL);
  return result == DMS_OK ? dms_authenticate_with_file(session, credentials_file()) : result;
}

static int pair(dms_session *session, const char *name) {
  int result = dms_open(session, NULL);
  if (result == DMS_OK) result = dms_pair_start(session, name, NULL, "Sample program");
  if (result != DMS_OK) return report(session);
  fprintf(stderr, "Code: %s. Compare it with DMS Connect's window and approve within %d seconds.\n", dms_pairing_code(session),
          dms_pairing_seconds(session));
  /* A program with a window would look every now and then, and show a button to cancel. */
  while ((result = dms_pair_wait(session, 1000)) == DMS_PENDING) continue;
  if (result == DMS_OK) result = dms_credentials_save(session, credentials_file());
  if (result != DMS_OK) return report(session);
  fprintf(stderr, "Paired.\n");
  return 0;
}

static int print_token(dms_session *session, const char *provider, const char *user, bool rejected) {
  int result = open_session(session);
  if (result == DMS_OK) result = dms_token_get(session, provider, user, NULL, NULL, -1);
  /* Here the program would call the API with dms_headers(session), and go on only if it answered 401. */
  if (result == DMS_OK && rejected) result = dms_token_rejected(session, provider, user, NULL, NULL, dms_token_id(session));
  if (result != DMS_OK) return report(session);
  printf("%s\n", dms_access_token(session));
  return 0;
}

/** One line being answered by a thread of its own, with a session that stays for later lines. */
struct worker {
  dms_session *session;
  thread thread;
  bool started;
  bool busy;
  char provider[MAX_LINE];
  char user[MAX_LINE];
};

static struct worker workers[MAX_WORKERS];
static mutex lock;

static void take_lock(void) {
#if defined(_WIN32)
  EnterCriticalSection(&lock);
#else
  pthread_mutex_lock(&lock);
#endif
}

static void give_lock(void) {
#if defined(_WIN32)
  LeaveCriticalSection(&lock);
#else
  pthread_mutex_unlock(&lock);
#endif
}

static THREAD_RESULT answer_line(void *argument) {
  struct worker *worker = argument;
  int result = DMS_OK;
  if (worker->session == NULL) {
    worker->session = new_session();
    result = open_session(worker->session);
  }
  if (result == DMS_OK) result = dms_token_get(worker->session, worker->provider, worker->user, NULL, NULL, -1);
  take_lock();
  if (result == DMS_OK) printf("%s ok %s\n", worker->user, dms_access_token(worker->session));
  else printf("%s error %s\n", worker->user, dms_last_code(worker->session));
  fflush(stdout);
  if (result != DMS_OK) report(worker->session);
  /* A session that never came about is of no use to the next line. */
  if (*dms_client_id(worker->session) == '\0') {
    dms_free(worker->session);
    worker->session = NULL;
  }
  worker->busy = false;
  give_lock();
  return 0;
}

static void join(struct worker *worker) {
  if (!worker->started) return;
#if defined(_WIN32)
  WaitForSingleObject(worker->thread, INFINITE);
  CloseHandle(worker->thread);
#else
  pthread_join(worker->thread, NULL);
#endif
  worker->started = false;
}

/** The first worker that is free, since it is the likeliest to have a session; if all are busy, the first one, in its turn. */
static struct worker *choose_worker(void) {
  struct worker *chosen = NULL;
  take_lock();
  for (int i = MAX_WORKERS - 1; i >= 0; i--)
    if (!workers[i].busy) chosen = &workers[i];
  give_lock();
  if (chosen == NULL) chosen = &workers[0];
  join(chosen);
  return chosen;
}

static bool start(struct worker *worker) {
  worker->busy = true;
#if defined(_WIN32)
  worker->thread = CreateThread(NULL, 0, answer_line, worker, 0, NULL);
  worker->started = worker->thread != NULL;
#else
  worker->started = pthread_create(&worker->thread, NULL, answer_line, worker) == 0;
#endif
  return worker->started;
}

static int serve(void) {
  char line[MAX_LINE];
#if defined(_WIN32)
  InitializeCriticalSection(&lock);
#else
  pthread_mutex_init(&lock, NULL);
#endif
  while (fgets(line, sizeof line, stdin) != NULL) {
    struct worker *worker = choose_worker();
    const char *provider = strtok(line, " \r\n"), *user = strtok(NULL, " \r\n");
    if (provider == NULL || user == NULL) continue;
    strcpy(worker->provider, provider);
    strcpy(worker->user, user);
    if (!start(worker)) return 1;
  }
  for (int i = 0; i < MAX_WORKERS; i++) {
    join(&workers[i]);
    dms_free(workers[i].session);
  }
  return 0;
}

int main(int count, char **arguments) {
  const char *command = count > 1 ? arguments[1] : "";
  bool token = strcmp(command, "token") == 0, rejected = strcmp(command, "rejected") == 0;
  if (count == 2 && strcmp(command, "session") == 0) return serve();
  if (!(count == 3 && strcmp(command, "pair") == 0) && !(count == 4 && (token || rejected))) {
    fprintf(stderr, "usage: sample pair NAME | token PROVIDER USER | rejected PROVIDER USER | session\n");
    return 2;
  }
  dms_session *session = new_session();
  int exit_code = count == 3 ? pair(session, arguments[2]) : print_token(session, arguments[2], arguments[3], rejected);
  dms_free(session);
  return exit_code;
}
