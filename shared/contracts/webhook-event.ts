import * as z from "zod";
import { Batch } from "./batch.ts";
import { Classification } from "./classification.ts";
import { BATCH_EVENTS, CLASSIFICATION_EVENTS, RUN_EVENTS, TEST_EVENTS } from "./event.ts";
import { Run } from "./labeler.ts";
import { WebhookEndpoint } from "./webhook.ts";

/** What is told of a resource whose message would be larger than 20 kB: enough to fetch the rest. */
const THIN = { id: true, object: true, status: true, urls: true } as const;

/** What is told of a classification that is too large for a message. */
export const ThinClassification = Classification.pick(THIN);
/** The same of a batch. */
export const ThinBatch = Batch.pick(THIN);
/** The same of a labeler's run. */
export const ThinRun = Run.pick(THIN);

const timestamp = z.iso.datetime();

/** The body of a webhook message as a receiver reads it: `type` tells what `data` is. */
export const WebhookEvent = z
  .discriminatedUnion("type", [
    z.object({
      type: z.enum(CLASSIFICATION_EVENTS),
      timestamp,
      data: z.union([Classification, ThinClassification]),
    }),
    z.object({ type: z.enum(BATCH_EVENTS), timestamp, data: z.union([Batch, ThinBatch]) }),
    z.object({ type: z.enum(RUN_EVENTS), timestamp, data: z.union([Run, ThinRun]) }),
    z.object({ type: z.enum(TEST_EVENTS), timestamp, data: WebhookEndpoint }),
  ])
  .meta({ id: "WebhookEvent" });
export type WebhookEvent = z.infer<typeof WebhookEvent>;
