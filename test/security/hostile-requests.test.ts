import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openapiDocument } from "../../api/openapi.ts";
import { makeThings } from "../api/support/tenant-things.ts";
import { API_KEY, startTestApi } from "../api/support/test-api.ts";
import type { TestApi } from "../api/support/test-api.ts";
import { hostileRequests, operationsOf } from "./support/hostile-request.ts";

/** Fixed, so that a failure comes again; it is told with the failure. */
const SEED = 20_261_122;
const CASES = 1_500;
/** What one request may take on a slow machine, in milliseconds, a wait of a second included. */
const SOON_MS = 10_000;

let api: TestApi;
let ids: string[];
beforeAll(async () => {
  api = await startTestApi({ MAX_BODY_BYTES: "1000000", S3_SOURCE_BUCKETS: "photos" });
  const things = await makeThings(api, "default", "a test's");
  ids = Object.values(things)
    .flat()
    .filter((thing) => typeof thing === "string");
});
afterAll(() => api.close());

test(`${CASES} hostile requests to all operations are each answered as the OpenAPI document says, and never by a fault of ours`, async () => {
  const operations = operationsOf(openapiDocument(api.app));
  const seen = new Map<string, Set<number>>();
  await fc.assert(
    fc.asyncProperty(hostileRequests(operations, ids), async ({ path, init }) => {
      const { status } = await Promise.race([
        api.request(path, init),
        new Promise<never>((_, reject) => setTimeout(reject, SOON_MS, new Error("no answer")).unref()),
      ]);
      expect(status).toBeLessThan(500);
      const operation = `${init.method} ${path.split("?")[0]}`;
      seen.set(operation, (seen.get(operation) ?? new Set()).add(status));
    }),
    { seed: SEED, numRuns: CASES },
  );
  const statuses = new Set([...seen.values()].flatMap((each) => [...each]));
  expect([200, 202, 400, 404, 415].filter((status) => !statuses.has(status))).toEqual([]);
}, 120_000);

test("nothing of that changed what all objects inherit, was logged as a fault, or left a key in the log", () => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect("polluted" in {}).toBe(false);
  expect(api.logLines.length).toBeGreaterThanOrEqual(CASES);
  expect(api.logLines.filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
  expect(api.logLines.filter((line) => line.includes(API_KEY))).toEqual([]);
});
