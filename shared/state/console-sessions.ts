import { ConsoleSession } from "../contracts/console-session.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { sha256Hex } from "../sha256-hex.ts";

/** Seconds after which one has to sign in to the console again. */
export const SESSION_TTL = 12 * 3_600;

/** Redis has the hash of a session's secret only: who reads it there cannot be taken for who signed in. */
const keyOf = async (secret: string) => redisKeys.consoleSession(await sha256Hex(secret));

/** Writes down who has signed in. `secret` is what the browser keeps. */
export async function putConsoleSession(
  redis: RedisClient,
  secret: string,
  session: ConsoleSession,
): Promise<void> {
  await redis.set(await keyOf(secret), JSON.stringify(session), "EX", SESSION_TTL);
}

/** Who has signed in with this secret; undefined when nobody has, or no longer. */
export async function getConsoleSession(
  redis: RedisClient,
  secret: string,
): Promise<ConsoleSession | undefined> {
  const text = await redis.get(await keyOf(secret));
  return text === null ? undefined : ConsoleSession.parse(JSON.parse(text));
}

/** Ends a session. Nothing happens when it has ended. */
export async function deleteConsoleSession(redis: RedisClient, secret: string): Promise<void> {
  await redis.del(await keyOf(secret));
}
