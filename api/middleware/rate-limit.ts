import { createMiddleware } from "hono/factory";
import { AppError } from "../../shared/errors.ts";
import { WINDOW_MS, countRequest } from "../../shared/state/rate-limit.ts";
import type { ApiDeps } from "../deps.ts";
import type { ApiEnv } from "../env.ts";

/** What the service's own `API_KEY` is counted under, which has no id. */
const OWN_KEY = "own";

/**
 * Refuses requests beyond so many a minute of one key, and tells in each answer how many are left
 * (draft-ietf-httpapi-ratelimit-headers). Asks Redis once a request; costs nothing when `RATE_LIMIT_PER_MINUTE` is 0.
 */
export const rateLimit = ({ config, redis }: Pick<ApiDeps, "config" | "redis">) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const quota = config.RATE_LIMIT_PER_MINUTE;
    if (quota === 0) return next();
    const { requests, endsInMs } = await countRequest(redis, c.get("keyId") ?? OWN_KEY);
    const seconds = Math.ceil(endsInMs / 1_000);
    c.header("ratelimit-policy", `"default";q=${quota};w=${WINDOW_MS / 1_000}`);
    c.header("ratelimit", `"default";r=${Math.max(0, quota - requests)};t=${seconds}`);
    if (requests > quota)
      throw new AppError(
        "rate_limited",
        `This key may send ${quota} requests a minute. Send the next in ${seconds} s.`,
        [],
        seconds,
      );
    return next();
  });
