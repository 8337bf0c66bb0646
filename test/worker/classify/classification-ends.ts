import type { Queue } from "bullmq";
import { onTestFinished } from "vitest";
import { Classification } from "../../../shared/contracts/classification.ts";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import type { ClassifyImagePayload } from "../../../shared/contracts/queue-payloads.ts";
import { redisKeys, storageKeys } from "../../../shared/keys.ts";
import { openRedis } from "../../../shared/redis.ts";
import { raven, swan } from "../../support/labelling.ts";
import type { Answers } from "../../support/labelling.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

/** What the servers of the images answer: a white and a black image, one that is none, and trouble that passes or stays. */
export const answers: Answers = {
  "/swan": [swan],
  "/raven": [raven],
  "/text": [Buffer.from("no image")],
  "/flaky": [503, swan],
  "/down": [503],
};

/** How a test looks at what came of a job, with what is `atHand` at that moment. */
export function classificationEnds(atHand: () => { deps: WorkerTestDeps; deliver: Queue }) {
  async function storedResult({ tenant, id }: ClassifyImagePayload): Promise<Classification | undefined> {
    const bytes = await atHand().deps.storage.get(storageKeys.result(tenant, id));
    return bytes && Classification.parse(JSON.parse(new TextDecoder().decode(bytes)));
  }
  async function messagesAbout({ id }: ClassifyImagePayload): Promise<DeliverPayload[]> {
    const payloads = (await atHand().deliver.getJobs()).map(({ data }) => DeliverPayload.parse(data));
    return payloads.filter(({ body }) => body.includes(id));
  }
  /** Hears what is told to the process that waits for a classification. */
  async function listen({ id, feed }: ClassifyImagePayload): Promise<string[]> {
    const told: string[] = [];
    const redis = openRedis(atHand().deps.redisUrl, "wait", () => {});
    await redis.subscribe(redisKeys.finishedFeed(feed ?? ""));
    redis.on("message", (_, text) => {
      if (text.startsWith(`${id} `)) told.push(text.slice(id.length + 1));
    });
    onTestFinished(() => redis.disconnect());
    return told;
  }
  return { storedResult, messagesAbout, listen };
}

/** The classification in a text that was told. */
export const toClassification = (text: string) => Classification.parse(JSON.parse(text));
/** How long to wait for what is told, which comes over a connection of its own. */
export const SOON = { timeout: 10_000 };
