import { ERROR_KINDS, problemType } from "./contracts/error.ts";
import type { ErrorCode, ErrorDetail, ItemError } from "./contracts/error.ts";

/** The caller's fault: becomes a 4xx (or 503) problem. `message` is the problem's `detail` and is shown to the caller. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly errors: ErrorDetail[];
  /** Seconds after which the same request may work, for `Retry-After`; undefined where nobody can say. */
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, message: string, errors: ErrorDetail[] = [], retryAfterS?: number) {
    super(message);
    this.code = code;
    this.errors = errors;
    this.retryAfterS = retryAfterS;
  }
}

/** This image can never work: it fails at once and is not tried again. `message` is shown to the caller. */
export class PermanentError extends Error {
  override readonly name = "PermanentError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Not now: it is tried again with backoff, and when the attempts are used up it fails with this code and message, which the caller sees. */
export class TransientError extends Error {
  override readonly name = "TransientError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The public face of whatever was thrown for one image; an unknown error shows nothing of its inside. */
export function toItemError(error: unknown): ItemError {
  const known = error instanceof PermanentError || error instanceof TransientError;
  const code = known ? error.code : "internal";
  return {
    type: problemType(code),
    title: ERROR_KINDS[code].title,
    code,
    detail: known ? error.message : "The image could not be classified because of a fault on our side.",
    retryable: !(error instanceof PermanentError),
  };
}
