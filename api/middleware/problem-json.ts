import type { Context, ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { z } from "zod";
import { ERROR_KINDS, problemType } from "../../shared/contracts/error.ts";
import type { ErrorCode, ErrorDetail, Problem } from "../../shared/contracts/error.ts";
import { AppError } from "../../shared/errors.ts";
import type { Logger } from "../../shared/logger.ts";
import type { ApiEnv } from "../env.ts";

/** Answers whatever was thrown as an RFC 9457 problem. What we did not expect is logged and shows nothing of its inside. */
export const problemJson =
  (logger: Logger): ErrorHandler<ApiEnv> =>
  (error, c) => {
    const { code, message, errors } = asAppError(error);
    if (code === "internal") logger.error({ request_id: c.get("requestId"), err: error }, "a request failed");
    const { status, title } = ERROR_KINDS[code];
    const problem: Problem = {
      type: problemType(code),
      title,
      status,
      detail: message,
      instance: c.req.path,
      code,
      request_id: c.get("requestId"),
      ...(errors.length > 0 && { errors }),
    };
    setHeaders(c, code);
    return c.body(JSON.stringify(problem), status, { "content-type": "application/problem+json" });
  };

/** Throws the faults zod found in a part of a request, each with the place where it is. */
export function rejectInvalid(
  result: { success: true } | { success: false; error: z.core.$ZodError; target: string },
): undefined {
  if (result.success) return undefined;
  const errors = result.error.issues.map((issue) => toErrorDetail(issue, result.target));
  throw new AppError(
    "invalid_request",
    errors.map((each) => `${placeOf(each)}: ${each.detail}`).join("; "),
    errors,
  );
}

const placeOf = ({ pointer, parameter, header }: ErrorDetail) =>
  header ?? parameter ?? (pointer === "" ? "body" : (pointer ?? "body"));

function toErrorDetail({ path, message, code }: z.core.$ZodIssue, target: string): ErrorDetail {
  const detail = { detail: message, code: code };
  if (target === "header") return { header: path.join("."), ...detail };
  if (target === "query" || target === "param") return { parameter: path.join("."), ...detail };
  const pointer = path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { pointer, ...detail };
}

const CODE_OF_STATUS: Partial<Record<number, ErrorCode>> = {
  400: "invalid_request",
  413: "image_too_large",
  415: "unsupported_media_type",
};

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const code = error instanceof HTTPException ? CODE_OF_STATUS[error.status] : undefined;
  if (code !== undefined) return new AppError(code, SAYING[code] ?? (error as HTTPException).message);
  if (isRedisAway(error))
    return new AppError(
      "overloaded",
      "The queue cannot be reached at the moment; nothing was accepted. Try again shortly.",
    );
  return new AppError(
    "internal",
    "The request could not be handled because of a fault on our side. Try again; it is logged under the request_id.",
  );
}

const SAYING: Partial<Record<ErrorCode, string>> = {
  unsupported_media_type:
    "Send application/json, an image (Content-Type: image/…) or multipart/form-data, where the route takes it.",
};

const isRedisAway = (error: unknown) =>
  error instanceof Error &&
  (error.name === "MaxRetriesPerRequestError" || /ECONNREFUSED|Connection is closed/.test(error.message));

function setHeaders(c: Context, code: ErrorCode): void {
  if (code === "unauthorized") c.header("www-authenticate", 'Bearer realm="tresline"');
  if (code === "overloaded") c.header("retry-after", "5");
}
