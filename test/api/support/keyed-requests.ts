import { queueNames } from "../../../shared/queue.ts";
import { readQueue } from "../../support/queue-reader.ts";
import type { TestApi } from "./test-api.ts";

const CLASSIFICATIONS = "/v1/classifications";
const image = { url: "https://example.com/cat.jpg" };

type Headers = Record<string, string>;

/** A request that can be sent more than once. */
export type Sent = readonly [path: string, init: { method: string; headers: Headers; body: string }];

/** An Idempotency-Key that was never sent. */
export const newKey = () => crypto.randomUUID();

/** The headers of a request with a key. */
export const named = (key: string, more: Headers = {}) => ({ "idempotency-key": key, ...more });

/** The id that an answer tells. */
export const idOf = async (response: Response) => ((await response.json()) as { id: string }).id;

/** Whether an answer is the one that was kept. */
export const isReplayed = ({ headers }: Response) => headers.get("idempotent-replayed") === "true";

/** A classification of an image that is the body. */
export const png = (bytes: string, query = "", type = "image/png") =>
  [`${CLASSIFICATIONS}${query}`, { method: "POST", headers: { "content-type": type }, body: bytes }] as const;

/** A request with a JSON body. */
export const json = (body: unknown, headers: Headers = {}, path = CLASSIFICATIONS) =>
  [
    path,
    {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    },
  ] as const;

/** Requests with a key to an API, and the jobs that they made. */
export function keyedRequests(api: () => TestApi) {
  const create = (key: string, more: Headers = {}, body: unknown = { image }) =>
    api().post(CLASSIFICATIONS, body, named(key, more));
  const send = (key: string, [path, init]: Sent) =>
    api().request(path, { ...init, headers: named(key, init.headers) });
  /** How many jobs lie in the queues of `figures`. */
  async function countJobs(): Promise<number> {
    return (await readQueue(api().redis.redis, queueNames.classify("figures", "interactive"))).length;
  }
  return { create, send, countJobs };
}
