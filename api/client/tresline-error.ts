import type { ErrorDetail } from "../../shared/contracts/error.ts";

/** What is known of a request that failed. */
export interface Fault {
  code: string;
  detail: string;
  status?: number | undefined;
  requestId?: string | undefined;
  errors?: readonly ErrorDetail[] | undefined;
  retryAfterMs?: number | undefined;
}

/** The service refused, could not be asked, or answered what cannot be read: all that a client throws but the reason of an AbortSignal. */
export class TreslineError extends Error {
  override readonly name = "TreslineError";
  /** The problem's code (see `/docs` of a service), or `connection`, `timeout`, `unknown_answer` or `invalid_webhook`. */
  readonly code: string;
  /** A sentence that says what was wrong; the same as `message`. */
  readonly detail: string;
  /** The HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** What the service's log calls the request. */
  readonly requestId: string | undefined;
  /** Each fault of the request and where in it. */
  readonly errors: readonly ErrorDetail[];
  /** Milliseconds to wait before trying again, when the service said so. */
  readonly retryAfterMs: number | undefined;

  constructor({ code, detail, status, requestId, errors = [], retryAfterMs }: Fault, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.detail = detail;
    this.status = status;
    this.requestId = requestId;
    this.errors = errors;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may work later: no answer, 429, 5xx, or 409 with `Retry-After`, which is said of a request whose first try is still in hand. */
  get retryable(): boolean {
    if (this.status === undefined) return this.code === "connection" || this.code === "timeout";
    if (this.status === 409) return this.retryAfterMs !== undefined;
    return this.status === 429 || this.status >= 500;
  }
}
