import { announce } from "./announce.ts";
import { Classification } from "./contracts/classification.ts";
import { EventType } from "./contracts/event.ts";
import type { ClassifyImagePayload } from "./contracts/queue-payloads.ts";
import { storageKeys } from "./keys.ts";
import type { Queues } from "./queue.ts";
import type { RedisClient } from "./redis.ts";
import { tellFinished } from "./state/finished-feed.ts";
import type { Storage } from "./storage/storage.ts";

/**
 * Stores a finished classification, enqueues the message about it, tells those who wait, and returns what was told. Whoever
 * is killed anywhere in between is followed by a worker that does it all again: what was stored first stays and is what is
 * told, so that a classification that ends and is canceled at once has one end.
 */
export async function saveResult(
  classification: Classification,
  payload: Pick<ClassifyImagePayload, "id" | "tenant" | "webhook" | "feed" | "traceparent">,
  { storage, queues, redis }: { storage: Storage; queues: Queues; redis: RedisClient },
): Promise<Classification> {
  const { id, tenant, webhook, feed, traceparent } = payload;
  const key = storageKeys.result(tenant, id);
  const body = JSON.stringify(classification);
  const isFirst = await storage.putIfAbsent(key, body, { contentType: "application/json" });
  const stored = isFirst ? classification : await readResult(storage, { id, tenant });
  if (stored === undefined) throw new Error(`${key} was stored and is gone.`);
  if (webhook !== null)
    await announce(queues, {
      tenant,
      webhook,
      type: EventType.parse(`classification.${stored.status}`),
      timestamp: stored.completed_at ?? stored.created_at,
      resource: stored,
      traceparent,
    });
  if (feed !== null) await tellFinished(redis, feed, stored);
  return stored;
}

/** The stored result of a classification, or undefined when none is stored. */
export async function readResult(
  storage: Storage,
  { id, tenant }: Pick<ClassifyImagePayload, "id" | "tenant">,
): Promise<Classification | undefined> {
  const bytes = await storage.get(storageKeys.result(tenant, id));
  return bytes && Classification.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
