import * as z from "zod";
import { DeliverPayload } from "../contracts/queue-payloads.ts";
import { MessageStatus } from "../contracts/webhook.ts";
import { redisKeys } from "../keys.ts";
import type { RedisClient } from "../redis.ts";

/** Seconds that a message is kept after it has ended, to be looked at and sent again. Until it has ended its job speaks for it. */
const DELIVERED_TTL = 86_400;
const UNDELIVERED_TTL = 14 * 86_400;
/** The most messages of one receiver that are kept so, of those delivered and of the others: above that the oldest go. */
const MAX_KEPT = 10_000;
/** Messages that are read at once. */
const PAGE = 100;

/** A message whose delivery has ended, one way or the other. */
export const EndedMessage = z.object({
  payload: DeliverPayload,
  status: MessageStatus.exclude(["pending"]),
  attempts: z.int(),
  reason: z.string().nullable(),
  ended_at: z.iso.datetime(),
});
export type EndedMessage = z.infer<typeof EndedMessage>;

/**
 * KEYS[1] the message (string)   KEYS[2] where its id belongs   KEYS[3] where it may have been (zsets: by their end)
 * ARGV[1] its id   ARGV[2] the message (JSON)   ARGV[3] seconds to keep it   ARGV[4] its end in ms   ARGV[5] how many are kept
 * ARGV[6] what the keys of messages begin with. Answers how many were forgotten to make room.
 */
const END_MESSAGE = `
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
redis.call("ZREM", KEYS[3], ARGV[1])
redis.call("ZADD", KEYS[2], ARGV[4], ARGV[1])
redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", ARGV[4] - ARGV[3] * 1000)
redis.call("EXPIRE", KEYS[2], ARGV[3])
local excess = redis.call("ZCARD", KEYS[2]) - ARGV[5]
if excess <= 0 then return 0 end
local oldest = redis.call("ZPOPMIN", KEYS[2], excess)
for i = 1, #oldest, 2 do redis.call("DEL", ARGV[6] .. oldest[i]) end
return excess`;

/** Keeps a message that has ended for a while: a day when delivered, else two weeks. Returns how many older ones of its receiver had to go. */
export async function endMessage(redis: RedisClient, message: EndedMessage): Promise<number> {
  const { message_id: id } = message.payload;
  const receiver = receiverOf(message.payload);
  const lists = [redisKeys.deliveredMessages(receiver), redisKeys.undeliveredMessages(receiver)];
  const isDelivered = message.status === "delivered";
  const keys = [redisKeys.webhookMessage(id), ...(isDelivered ? lists : lists.toReversed())];
  const ttl = isDelivered ? DELIVERED_TTL : UNDELIVERED_TTL;
  const args = [id, JSON.stringify(message), ttl, Date.parse(message.ended_at), MAX_KEPT];
  return Number(await redis.eval(END_MESSAGE, keys.length, ...keys, ...args, redisKeys.webhookMessage("")));
}

/** The message as it ended last, or undefined while it never has or when it is no longer kept. */
export async function getEndedMessage(redis: RedisClient, id: string): Promise<EndedMessage | undefined> {
  return parse(await redis.get(redisKeys.webhookMessage(id)));
}

/** The messages of an endpoint that ended undelivered at or after `since` (ms since 1970) and are still kept, the oldest first, a page at a time. */
export async function* undeliveredMessages(
  redis: RedisClient,
  endpointId: string,
  since: number,
): AsyncGenerator<EndedMessage[], void, undefined> {
  const ids = await redis.zrangebyscore(redisKeys.undeliveredMessages(endpointId), since, "+inf");
  for (let first = 0; first < ids.length; first += PAGE) {
    const keys = ids.slice(first, first + PAGE).map((id) => redisKeys.webhookMessage(id));
    yield (await redis.mget(keys)).map(parse).filter((message) => message !== undefined);
  }
}

const parse = (text: string | null) => (text === null ? undefined : EndedMessage.parse(JSON.parse(text)));

/** Messages to bare addresses are kept together, those of a tenant. */
const receiverOf = (payload: DeliverPayload) =>
  "endpoint_id" in payload ? payload.endpoint_id : payload.tenant;
