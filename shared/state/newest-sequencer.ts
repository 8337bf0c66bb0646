import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";
import { sha256Hex } from "../sha256-hex.ts";

/** Seconds that the newest sequencer of an object is remembered: events overtake each other by less. */
const REMEMBERED_TTL = 3_600;

/**
 * KEYS[1] the newest sequencer of an object (string)   ARGV[1] the sequencer of an event   ARGV[2] seconds to remember it
 * Answers 0 when a newer one was seen, else 1. Of two the shorter is filled up with zeros on the right:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
const NOTE = `
local told, newest = ARGV[1], redis.call("GET", KEYS[1])
if newest then
  local length = math.max(#told, #newest)
  local filled = function(text) return text .. string.rep("0", length - #text) end
  if filled(told) < filled(newest) then return 0 end
end
redis.call("SET", KEYS[1], told, "EX", ARGV[2])
return 1`;

/**
 * Notes the sequencer of an event about an object, unless a newer one was noted within the hour. False then: the event is
 * outdated. The same event told again is not.
 * @param sequencer hexadecimal digits in upper case
 */
export async function noteSequencer(
  redis: RedisClient,
  { bucket, key }: { bucket: string; key: string },
  sequencer: string,
): Promise<boolean> {
  // Keys may have a kilobyte, and Redis holds one for each object of the last hour.
  const name = redisKeys.sequencer(await sha256Hex(`${bucket}/${key}`));
  return (await redis.eval(NOTE, 1, name, sequencer, REMEMBERED_TTL)) === 1;
}
