import { queueNames } from "../../../shared/queue.ts";
import { API_KEY } from "./test-api.ts";
import type { TestApi } from "./test-api.ts";

/** What requests left behind, which is nothing when all were refused: keys in Redis, objects in storage, and log lines that are errors or tell the key. */
export async function tracesOf({ redis: { redis }, deps, logLines }: TestApi): Promise<string[]> {
  if (logLines.length === 0) throw new Error("Nothing was asked of the API.");
  const kept = ["*classification:*", "*batch:*", `*${queueNames.classify("figures", "interactive")}:wait`];
  const keys = await Promise.all(kept.map((pattern) => redis.keys(pattern)));
  const stored: string[] = [];
  for await (const { key } of deps.storage.list("")) stored.push(key);
  const told = logLines.filter((line) => line.includes('"level":50') || line.includes(API_KEY));
  return [...keys.flat(), ...stored, ...told];
}
