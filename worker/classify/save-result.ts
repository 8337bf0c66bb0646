import { Classification } from "../../shared/contracts/classification.ts";
import { EventType } from "../../shared/contracts/event.ts";
import type { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { tellFinished } from "../../shared/state/finished-feed.ts";
import { announce } from "../deliver/announce.ts";
import type { ClassifyDeps } from "./start.ts";

/**
 * Stores a finished classification, enqueues the message about it and tells those who wait. A worker killed anywhere in
 * between is followed by another that does it all again: what was stored first stays and is what is told.
 */
export async function saveResult(
  classification: Classification,
  { id, tenant, webhook, feed }: Pick<ClassifyImagePayload, "id" | "tenant" | "webhook" | "feed">,
  { storage, queues, redis }: Pick<ClassifyDeps, "storage" | "queues" | "redis">,
): Promise<void> {
  const key = storageKeys.result(tenant, id);
  const body = JSON.stringify(classification);
  const isFirst = await storage.putIfAbsent(key, body, { contentType: "application/json" });
  const stored = isFirst ? classification : await readResult(storage, { id, tenant });
  if (stored === undefined) throw new Error(`${key} was stored and is gone.`);
  await announce(queues, {
    tenant,
    webhook,
    type: EventType.parse(`classification.${stored.status}`),
    timestamp: stored.completed_at ?? stored.created_at,
    resource: stored,
  });
  if (feed !== null) await tellFinished(redis, feed, stored);
}

/** The stored result of a classification, or undefined when none is stored. */
export async function readResult(
  storage: ClassifyDeps["storage"],
  { id, tenant }: Pick<ClassifyImagePayload, "id" | "tenant">,
): Promise<Classification | undefined> {
  const bytes = await storage.get(storageKeys.result(tenant, id));
  return bytes && Classification.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
