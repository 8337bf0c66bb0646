import { createMiddleware } from "hono/factory";
import { timingSafeEqual } from "hono/utils/buffer";
import { AppError } from "../../shared/errors.ts";
import type { ApiConfig } from "../config.ts";
import type { ApiEnv } from "../env.ts";

/**
 * Lets requests pass that carry the token of bucket events in one of the ways that vendors can send it: the header
 * `Authorization` with the token alone, after `Bearer` or as the password of `Basic`, or `?token=` in the address. The
 * API key passes too, as everywhere. Compares in constant time.
 */
export const eventsAuth = ({ API_KEY, S3_EVENTS_TOKEN }: Pick<ApiConfig, "API_KEY" | "S3_EVENTS_TOKEN">) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const header = c.req.header("authorization");
    const bearer = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
    const sent = bearer ?? (header === undefined ? c.req.query("token") : (basicPassword(header) ?? header));
    const isToken =
      S3_EVENTS_TOKEN !== undefined && sent !== undefined && (await timingSafeEqual(sent, S3_EVENTS_TOKEN));
    const isKey = bearer !== undefined && (await timingSafeEqual(bearer, API_KEY));
    if (!isToken && !isKey)
      throw new AppError(
        "unauthorized",
        S3_EVENTS_TOKEN === undefined
          ? "Send Authorization: Bearer <API key>, or set S3_EVENTS_TOKEN for a token that is for events alone."
          : "Send the token of S3_EVENTS_TOKEN: Authorization: Bearer <token>, the token alone, as Basic's password, or ?token=<token>.",
      );
    await next();
  });

function basicPassword(header: string): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return atob(encoded).replace(/^[^:]*:/, "");
  } catch {
    return undefined;
  }
}
