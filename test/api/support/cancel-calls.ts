import { Classification } from "../../../shared/contracts/classification.ts";
import { DeliverPayload } from "../../../shared/contracts/queue-payloads.ts";
import type { ClassifyImagePayload } from "../../../shared/contracts/queue-payloads.ts";
import { queueNames } from "../../../shared/queue.ts";
import { readResult } from "../../../shared/save-result.ts";
import { swan, testLabelling } from "../../support/labelling.ts";
import { readQueue } from "../../support/queue-reader.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";
import type { TestApi } from "./test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://images.example/swan" };

/** The address that is told how the classifications end. */
export const HOOK = "https://client.example/hook";

/** Classifications that are made, canceled and labelled, and what is known of each. */
export function cancelCalls(api: () => TestApi, workerDeps: () => WorkerTestDeps) {
  const create = async (more: object = {}): Promise<string> => {
    const response = await api().post(CLASSIFICATIONS, { image, webhook: HOOK, ...more });
    return Classification.parse(await response.json()).id;
  };
  const cancel = (id: string) => api().post(`${CLASSIFICATIONS}/${id}/cancel`, {});
  const get = async (id: string) =>
    Classification.parse(await (await api().request(`${CLASSIFICATIONS}/${id}`)).json());
  const stored = (id: string) => readResult(api().deps.storage, { tenant: "default", id });
  async function jobOf(id: string): Promise<ClassifyImagePayload> {
    const found = await api().deps.queues.findClassification(["figures"], id);
    if (found === undefined) throw new Error(`${id} has no job.`);
    return found.payload;
  }
  async function eventsOf(id: string): Promise<string[]> {
    const jobs = await readQueue(api().redis.redis, queueNames.deliver);
    const payloads = jobs.map(({ payload }) => DeliverPayload.parse(payload));
    return payloads.filter(({ body }) => body.includes(id)).map(({ event_type }) => event_type);
  }

  /** A worker's handler over the Redis and the storage of the API. */
  function labelling() {
    const { classifyDeps, fetched } = testLabelling(workerDeps(), { "/swan": [swan] });
    const { redis, storage, queues } = api().deps;
    return { deps: { ...classifyDeps, redis, storage, queues }, fetched };
  }

  return { create, cancel, get, stored, jobOf, eventsOf, labelling };
}
