import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { z } from "zod";
import { ERROR_KINDS, problemType } from "../../shared/contracts/error.ts";
import type { ErrorCode, ErrorDetail, Problem } from "../../shared/contracts/error.ts";
import { AppError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import type { ApiEnv } from "../env.ts";

/** Seconds after which to try again what is too much now, when nobody knows better. */
const RETRY_AFTER_S = 5;

/** Answers whatever was thrown as an RFC 9457 problem. What we did not expect is logged and shows nothing of its inside. */
export const problemJson =
  (logger: Logger): ErrorHandler<ApiEnv> =>
  (error, c) => {
    const { code, message, errors, retryAfterS } = asAppError(error);
    const { status, title } = ERROR_KINDS[code];
    c.set("problemCode", code);
    if (status >= 500 && !(error instanceof AppError))
      logger.error({ request_id: c.get("requestId"), err: error }, "a request failed");
    const problem: Problem = {
      type: problemType(code),
      title,
      status,
      detail: message,
      // Not `c.req.path`, which is decoded and so may be no URI.
      instance: new URL(c.req.url).pathname,
      code,
      request_id: c.get("requestId"),
      ...(errors.length > 0 && { errors }),
    };
    if (code === "unauthorized") c.header("www-authenticate", 'Bearer realm="tresline"');
    const seconds = retryAfterS ?? (code === "overloaded" ? RETRY_AFTER_S : undefined);
    if (seconds !== undefined) c.header("retry-after", String(seconds));
    return c.body(JSON.stringify(problem), status, { "content-type": "application/problem+json" });
  };

/** The most faults that one answer tells. */
const MAX_TOLD = 20;

/** Throws the faults zod found in a part of a request, each with the place where it is; of very many, the first. */
export function rejectInvalid(
  result: { success: true } | { success: false; error: z.core.$ZodError; target: string },
): undefined {
  if (result.success) return undefined;
  const found = result.error.issues.flatMap((issue) => toErrorDetails(issue, result.target));
  const errors = found.slice(0, MAX_TOLD);
  const told = errors.map((each) => `${placeOf(each)}: ${each.detail}`).join("; ");
  const more = found.length > MAX_TOLD ? `; and ${found.length - MAX_TOLD} more` : "";
  throw new AppError("invalid_request", `${told}${more}.`, errors);
}

/** Where a fault is, as the sentence says it. A name that the caller chose may be anything, and is quoted and cut. */
function placeOf({ pointer, parameter, header }: ErrorDetail): string {
  const place = header ?? parameter ?? (pointer === "" ? "body" : (pointer ?? "body"));
  return /^[A-Za-z/][\w./~-]{0,199}$/.test(place) ? place : JSON.stringify(place.slice(0, 200));
}

function toErrorDetails(issue: z.core.$ZodIssue, target: string): ErrorDetail[] {
  const { path, code, message } = issue;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      ...toPlace([...path, key], target),
      detail: "there is no such option (see /docs)",
      code,
    }));
  const detail =
    issue.code === "invalid_key"
      ? `its name: ${issue.issues.map((each) => each.message).join("; ")}`
      : message.replace(/^Invalid input: expected (.+), received undefined$/, "is missing: expected $1");
  return [{ ...toPlace(path, target), detail, code }];
}

function toPlace(
  path: readonly PropertyKey[],
  target: string,
): Pick<ErrorDetail, "header" | "parameter" | "pointer"> {
  if (target === "header") return { header: path.join(".") };
  if (target === "query" || target === "param") return { parameter: path.join(".") };
  return {
    pointer: path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join(""),
  };
}

const CODE_OF_STATUS: Partial<Record<number, ErrorCode>> = {
  400: "invalid_request",
  413: "image_too_large",
  415: "unsupported_media_type",
};

/** What is told of whatever was thrown: nothing of the inside of what we did not expect. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException) {
    const code = CODE_OF_STATUS[error.status];
    if (code !== undefined) return new AppError(code, sayingOf(error));
  }
  if (isAway(error))
    return new AppError(
      "overloaded",
      "The queue or the storage cannot be reached at the moment, or is full. Try again shortly.",
    );
  return new AppError(
    "internal",
    "The request could not be handled because of a fault on our side. Try again; it is logged under the request_id.",
  );
}

/** What Hono's own refusals mean to the caller: it throws them when a body is not what its content type says. */
function sayingOf({ status, message }: HTTPException): string {
  if (status === 415)
    return "Send application/json, an image (Content-Type: image/…) or multipart/form-data, where the route takes it.";
  if (message.startsWith("Malformed JSON")) return "The body is not valid JSON.";
  if (message.startsWith("Malformed FormData"))
    return "The body is not a readable form; its Content-Type must be multipart/form-data with the form's own boundary.";
  return `${message}.`;
}

/**
 * What ioredis and the sockets under it and under the AWS SDK say when the other side cannot be reached, Redis when its
 * memory or its disk is full, and S3 when it has too much to do.
 */
const AWAY =
  /^(MaxRetriesPerRequestError|SlowDown|ServiceUnavailable|TimeoutError)|ECONN(REFUSED|RESET)|EPIPE|E(HOST|NET)UNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|Connection is closed|Command timed out|no answer within|(LOADING|OOM|MISCONF) /;

const isAway = (error: unknown) =>
  error instanceof Error &&
  AWAY.test(`${error.name} ${"code" in error ? String(error.code) : ""} ${error.message}`);
