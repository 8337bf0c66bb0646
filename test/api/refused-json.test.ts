import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_INLINE_ITEMS } from "../../shared/contracts/batch.ts";
import { problemOf } from "./support/problem-of.ts";
import { REFUSED_BATCHES, item } from "./support/refused-batches.ts";
import { REFUSED_CLASSIFICATIONS } from "./support/refused-classifications.ts";
import { startTestApi } from "./support/test-api.ts";
import type { TestApi } from "./support/test-api.ts";
import { tracesOf } from "./support/traces-of.ts";

const CLASSIFICATIONS = "/v1/classifications";
const BATCHES = "/v1/batches";

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

test.each([...REFUSED_CLASSIFICATIONS, ...REFUSED_BATCHES])(
  "$of is refused, with its place",
  async ({ path = CLASSIFICATIONS, body, pointers, detail }) => {
    const response = await api.post(path, body);
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    expect(problem.detail).toMatch(detail);
  },
);

test.each(["*", "YQ=", "YQ==YQ==", "YWJj=", "YW Jj", "YWJ_", "Y", `${"=".repeat(300_000)}x`])(
  "what is not base 64 is refused quickly: %.20s",
  async (text) => {
    const bad = { data: `data:image/png;base64,${text}` };
    const single = await problemOf(await api.post(CLASSIFICATIONS, { image: bad }));
    expect(single).toMatchObject({ code: "invalid_request", errors: [{ pointer: "/image/data" }] });
    expect(single.detail).toMatch(/not valid base 64/);
    const batch = await api.post(BATCHES, { items: [item("a"), { custom_id: "b", image: bad }] });
    expect(await problemOf(batch)).toMatchObject({
      code: "invalid_request",
      errors: [{ pointer: "/items/1/image/data" }],
    });
  },
);

test("a bucket that may not be read is refused with the variable that allows it, and where it is named", async () => {
  for (const [pointer, body] of [
    ["/manifest/s3/bucket", { manifest: { s3: { bucket: "private", key: "list.csv" } } }],
    ["/prefix/bucket", { prefix: { bucket: "private", prefix: "" } }],
  ] as const) {
    const problem = await problemOf(await api.post(BATCHES, body));
    expect(problem).toMatchObject({ status: 422, code: "fetch_forbidden", errors: [{ pointer }] });
    expect(problem.detail).toContain("not among S3_SOURCE_BUCKETS");
  }
});

test("10 001 items are refused with the number that is allowed", async () => {
  const items = Array.from({ length: MAX_INLINE_ITEMS + 1 }, (_, index) => item(String(index)));
  const problem = await problemOf(await api.post(BATCHES, { items }));
  expect(problem).toMatchObject({ status: 400, errors: [{ pointer: "/items" }] });
  expect(problem.detail).toMatch(/10000/);
});

test("of very many faults the first are told and the rest counted", async () => {
  const items = Array.from({ length: 5_000 }, () => item("same"));
  const response = await api.post(BATCHES, { items });
  const problem = await problemOf(response.clone());
  expect(problem.errors).toHaveLength(20);
  expect(problem.errors?.[0]?.pointer).toBe("/items/1/custom_id");
  expect(problem.detail).toMatch(/; and 4979 more\.$/);
  expect((await response.text()).length).toBeLessThan(10_000);
});

test("what is refused leaves nothing behind, no error in the log, and no key there", async () => {
  expect(await tracesOf(api)).toEqual([]);
});
