/*
 * Loads a DLL of the library as Delphi, PowerBuilder or COBOL do: at run time, by undecorated names, with the calling
 * convention it was compiled for. Prints "ok" if calls go through and leave the stack as it was.
 */
#include "../dms_connect.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

typedef dms_session *(DMS_CALL *new_function)(void);
typedef void(DMS_CALL *free_function)(dms_session *);
typedef int(DMS_CALL *open_function)(dms_session *, const char *);
typedef int(DMS_CALL *token_function)(dms_session *, const char *, const char *, const char *, const char *, int);
typedef const char *(DMS_CALL *text_function)(const dms_session *);
typedef int(DMS_CALL *copy_function)(const char *, char *, int);
typedef int(DMS_CALL *test_function)(void);

static void find(HMODULE dll, const char *name, void *function) {
  FARPROC found = GetProcAddress(dll, name);
  if (found == NULL) {
    printf("%s is missing\n", name);
    ExitProcess(1);
  }
  memcpy(function, &found, sizeof found);
}

int wmain(int count, wchar_t **arguments) {
  new_function make;
  free_function release;
  open_function open;
  token_function token;
  text_function last_code;
  copy_function copy;
  test_function self_test;
  char buffer[64];
  HMODULE dll = count == 2 ? LoadLibraryW(arguments[1]) : NULL;
  if (dll == NULL) return 1;
  find(dll, "dms_new", &make);
  find(dll, "dms_free", &release);
  find(dll, "dms_open", &open);
  find(dll, "dms_token_get", &token);
  find(dll, "dms_last_code", &last_code);
  find(dll, "dms_copy_text", &copy);
  find(dll, "dms_self_test", &self_test);
  if (self_test() != 0) return 1;
  /* Many times: a stack that grows by a word a call ends in a crash. */
  for (int i = 0; i < 100000; i++) {
    dms_session *session = make();
    if (token(session, "mazda", "jdoe", NULL, NULL, -1) != DMS_NOT_PAIRED) return 1;
    if (copy(last_code(session), buffer, (int)sizeof buffer) != 11 || strcmp(buffer, "not_paired") != 0) return 1;
    if (open(session, "no pipe") != DMS_BAD_ARGUMENT) return 1;
    release(session);
  }
  printf("ok\n");
  return 0;
}
