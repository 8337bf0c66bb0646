import { Classification } from "../../shared/contracts/classification.ts";
import type { ClassifyImagePayload } from "../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../shared/keys.ts";
import { finishClassification } from "../../shared/state/classifications.ts";
import { announce } from "../deliver/announce.ts";
import type { ClassifyDeps } from "./start.ts";

/**
 * Stores a finished classification, enqueues the message about it and tells those who wait. A worker killed anywhere in
 * between is followed by another that does it all again: what was stored first stays and is what is told.
 */
export async function saveResult(
  classification: Classification,
  { tenant, webhook }: Pick<ClassifyImagePayload, "tenant" | "webhook">,
  { storage, queues, redis }: Pick<ClassifyDeps, "storage" | "queues" | "redis">,
): Promise<void> {
  const key = storageKeys.result(tenant, classification.id);
  const body = JSON.stringify(classification);
  const isFirst = await storage.putIfAbsent(key, body, { contentType: "application/json" });
  const stored = isFirst ? classification : await readResult(storage, key);
  await announce(queues, {
    tenant,
    webhook,
    type: stored.status === "succeeded" ? "classification.succeeded" : "classification.failed",
    timestamp: stored.completed_at ?? stored.created_at,
    resource: stored,
  });
  await finishClassification(redis, stored);
}

async function readResult(storage: ClassifyDeps["storage"], key: string): Promise<Classification> {
  const bytes = await storage.get(key);
  if (bytes === undefined) throw new Error(`${key} was stored and is gone.`);
  return Classification.parse(JSON.parse(new TextDecoder().decode(bytes)));
}
