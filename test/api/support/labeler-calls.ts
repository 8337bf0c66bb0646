import type { Labeler } from "../../../shared/contracts/labeler.ts";
import { queueNames } from "../../../shared/queue.ts";
import { readQueue } from "../../support/queue-reader.ts";
import type { TestApi } from "./test-api.ts";

const LABELERS = "/v1/labelers";

/** The JSON of an answer that is awaited. */
export const jsonOf = async <T>(response: Promise<Response>) => (await (await response).json()) as T;

/** What a test of labelers asks of the API, and the jobs of their runs. */
export function labelerCalls(api: () => TestApi) {
  const send = (method: string, path: string) => api().request(path, { method });
  const create = (more: object = {}) => jsonOf<Labeler>(api().post(LABELERS, { bucket: "photos", ...more }));
  const startRun = (id: string, body: object = {}) => api().post(`${LABELERS}/${id}/runs`, body);
  const scanJobsOf = async (id: string) =>
    (await readQueue(api().redis.redis, queueNames.scan)).filter((job) => job.id.startsWith(id));
  return { send, create, startRun, scanJobsOf };
}
