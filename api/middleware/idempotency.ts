import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { IdempotencyKey, MAX_KEPT_BODY } from "../../shared/contracts/idempotency.ts";
import type { KeptAnswer } from "../../shared/contracts/idempotency.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/new-id.ts";
import {
  HOLD_MS,
  claimRequest,
  forgetRequest,
  holdOn,
  keepAnswer,
  letGo,
} from "../../shared/state/idempotency.ts";
import type { Hold } from "../../shared/state/idempotency.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";
import { requestFingerprint } from "../request-fingerprint.ts";

/**
 * The operations that create something and take `Idempotency-Key`, as Hono spells their paths. Not those that make a key
 * or a secret, or sign an address: their answer shows what must not be kept.
 */
export const CREATING = [
  "/v1/classifications",
  "/v1/batches",
  "/v1/batches/:id/retry",
  "/v1/labelers",
  "/v1/labelers/:id/runs",
  "/v1/labelers/:id/resume",
  "/v1/webhook-endpoints/:id/test",
];

/** Seconds after which to ask again about a request that is in hand. */
const IN_HAND_RETRY_S = 1;

/** The headers of an answer that are given again. */
const KEPT_HEADERS = ["content-type", "location", "retry-after", "preference-applied"];

type Deps = Pick<ApiDeps, "redis" | "logger">;

/**
 * Does a request with an `Idempotency-Key` once (draft-ietf-httpapi-idempotency-key-header-06): sent again, it is answered
 * as the first time, or 409 while that is in hand. Only what was accepted is kept: a request that was refused or failed
 * may be sent again, also with another body. What it creates has the same id each time, so that a server that died or failed
 * after it had created it leaves nothing that is created twice. Without the header it costs nothing.
 */
export const idempotency = (deps: Deps) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const header = c.req.header("idempotency-key");
    c.set("newId", newId);
    if (header === undefined) return next();
    const claim = await claimRequest(deps.redis, {
      tenant: c.get("tenant"),
      key: readKey(header),
      fingerprint: await requestFingerprint(c.req),
    });
    if (claim.is === "another")
      throw new AppError(
        "idempotency_key_reused",
        "This Idempotency-Key was sent with another request; give this one a key of its own.",
      );
    if (claim.is === "in_hand")
      throw new AppError(
        "conflict",
        "The first request with this Idempotency-Key has not been answered yet; send it again in a moment.",
        [],
        IN_HAND_RETRY_S,
      );
    if (claim.is === "answered") return answerAgain(c, claim.answer);
    c.set("newId", (prefix) => `${prefix}_${claim.hold.ulid}`);
    await runOnce(deps, c, claim.hold, next);
  });

function readKey(header: string): string {
  const key = IdempotencyKey.safeParse(header);
  if (key.success) return key.data;
  const detail = key.error.issues.map(({ message }) => message).join("; ");
  throw new AppError("invalid_request", `Idempotency-Key ${detail}.`, [
    { header: "idempotency-key", detail, code: "invalid_format" },
  ]);
}

function answerAgain(c: Context<ApiEnv>, { status, headers, body }: KeptAnswer): Response {
  if (body === null)
    throw new AppError(
      "conflict",
      "The first request with this Idempotency-Key was accepted; its answer was too large to be kept and is not given again.",
    );
  return c.body(body, status as ContentfulStatusCode, { ...headers, "idempotent-replayed": "true" });
}

/** Answers the request while holding on to it, and keeps what was accepted. What failed on our side may have created what it was to, and what was refused has not. */
async function runOnce(
  { redis, logger }: Deps,
  c: Context<ApiEnv>,
  hold: Hold,
  next: () => Promise<void>,
): Promise<void> {
  const warn = (err: unknown) =>
    logger.warn({ request_id: c.get("requestId"), err }, "the answer under an Idempotency-Key was not kept");
  const holding = setInterval(() => void holdOn(redis, hold).catch(warn), HOLD_MS / 3);
  try {
    await next();
  } finally {
    clearInterval(holding);
  }
  const { ok, status } = c.res;
  if (ok)
    await answerOf(c.res)
      .then((answer) => keepAnswer(redis, hold, answer))
      .catch(warn);
  else await (status < 500 ? forgetRequest : letGo)(redis, hold).catch(warn);
}

async function answerOf(response: Response): Promise<KeptAnswer> {
  const body = await response.clone().text();
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  return {
    status: response.status,
    headers: Object.fromEntries(headers),
    body: body.length > MAX_KEPT_BODY ? null : body,
  };
}
