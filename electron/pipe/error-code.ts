/** The system's word for an error (`EACCES`, …). Never its message, which may hold paths and more. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown error";
}
