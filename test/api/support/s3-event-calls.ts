import { expect } from "vitest";
import type { BucketEventCounts } from "../../../shared/contracts/bucket-event.ts";
import type { LabelerRecord } from "../../../shared/contracts/labeler.ts";
import { ClassifyObjectPayload } from "../../../shared/contracts/queue-payloads.ts";
import type { NewJob } from "../../../shared/queue.ts";
import { queueNames } from "../../../shared/queue.ts";
import { getLabelerState, putLabeler } from "../../../shared/state/labelers.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { readQueue } from "../../support/queue-reader.ts";
import type { TestApi } from "./test-api.ts";

const EVENTS = "/v1/events/s3";
const JSON_TYPE = { "content-type": "application/json" };

/** The S3_EVENTS_TOKEN that the API is to be started with. */
export const TOKEN = "events-token-0123456789";

/** Events that are told to an API, the labelers they are for, and what is queued for these. */
export function s3EventCalls(api: () => TestApi) {
  let made = 0;

  const tell = (body: unknown, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
    api().request(EVENTS, {
      method: "POST",
      headers: { ...JSON_TYPE, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });

  async function countsOf(body: unknown): Promise<BucketEventCounts> {
    const response = await tell(body);
    expect(response.status).toBe(200);
    return (await response.json()) as BucketEventCounts;
  }

  /** A labeler of a bucket and with a model of its own, so that nothing else is queued there. */
  async function newLabeler(more: Partial<LabelerRecord> = {}): Promise<LabelerRecord> {
    made++;
    const record = labelerRecord({ bucket: `bucket-${made}`, model: `model-${made}`, ...more });
    expect(await putLabeler(api().redis.redis, record)).toBe(true);
    return record;
  }

  async function jobsOf({ model }: LabelerRecord): Promise<NewJob<ClassifyObjectPayload>[]> {
    const jobs = await readQueue(api().redis.redis, queueNames.objects(model));
    return jobs.map(({ id, payload }) => ({ id, payload: ClassifyObjectPayload.parse(payload) }));
  }
  const keysOf = async (labeler: LabelerRecord) => (await jobsOf(labeler)).map(({ payload }) => payload.key);
  const eventCountsOf = async ({ id, tenant }: LabelerRecord) =>
    (await getLabelerState(api().redis.redis, tenant, id))?.labeler.event_counts;

  return { tell, countsOf, newLabeler, jobsOf, keysOf, eventCountsOf };
}
