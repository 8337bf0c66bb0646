import type { ServedModel } from "../../shared/contracts/model.ts";
import type { RedisClient } from "../../shared/redis.ts";
import { ANNOUNCE_EVERY_MS, announceLabels, announceModel } from "../../shared/state/models.ts";

/** A model that is announced again and again. */
export interface Announcing {
  stop: () => void;
}

/** Announces a model and the names of its classes, and from then on every half a minute that it is served still. */
export async function keepAnnouncing(
  redis: RedisClient,
  model: Omit<ServedModel, "served_at">,
  labels: readonly string[],
): Promise<Announcing> {
  const announce = () => announceModel(redis, { ...model, served_at: new Date().toISOString() });
  await announceLabels(redis, model.name, labels);
  await announce();
  // What Redis does not hear now it hears the next time.
  const timer = setInterval(() => void announce().catch(() => {}), ANNOUNCE_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
