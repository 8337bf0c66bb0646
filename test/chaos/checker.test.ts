import { expect, test } from "vitest";
import type { BatchResult } from "../../shared/contracts/batch.ts";
import type { Classification } from "../../shared/contracts/classification.ts";
import { TransientError, toItemError } from "../../shared/errors.ts";
import { storageKeys } from "../../shared/keys.ts";
import { messageId, newId } from "../../shared/new-id.ts";
import { checkItems } from "./check-batches.ts";
import { checkClassifications } from "./check-classifications.ts";
import { checkStrayMessages } from "./check-message.ts";
import type { Checking } from "./checking.ts";
import type { AskedClassification } from "./ledger.ts";
import { STORAGE_PREFIX } from "./test-bucket.ts";

const HOOK = "http://127.0.0.1/hooks/1";

/** A checker's view of a service that has done one classification rightly, with its parts to be broken. */
async function oneClassification() {
  const id = newId("cls");
  const ended: Classification = {
    id,
    object: "classification",
    status: "succeeded",
    model: "figures",
    model_digest: "sha256:0",
    device: "cpu",
    input: { type: "url", url: "http://127.0.0.1/pictures/table" },
    predictions: [{ index: 0, label: "table", score: 0.9 }],
    error: null,
    metadata: {},
    metrics: {},
    created_at: "2026-11-23T06:00:00.000Z",
    started_at: "2026-11-23T06:00:01.000Z",
    completed_at: "2026-11-23T06:00:02.000Z",
    deadline: null,
    expires_at: null,
    urls: {
      get: "http://127.0.0.1/c",
      cancel: "http://127.0.0.1/c/cancel",
      events: "http://127.0.0.1/c/events",
    },
  };
  const asked: AskedClassification = {
    key: "classification-1",
    ids: new Set([id]),
    expected: { label: "table" },
    hook: HOOK,
    needsS3: true,
    cancel: "no",
  };
  const type = "classification.succeeded";
  const delivery = {
    path: "/hooks/1",
    messageId: await messageId(id, type, HOOK),
    body: JSON.stringify({ type, timestamp: ended.completed_at, data: ended }),
    isTaken: true,
    fault: undefined as string | undefined,
  };
  const key = STORAGE_PREFIX + storageKeys.result("default", id);
  const stored = new Map([[key, JSON.stringify(ended)]]);
  const told = { status: 200, value: ended };
  const checking: Checking = {
    ledger: {
      classifications: [asked],
      batches: [],
      objects: [],
      labelerId: newId("lbl"),
      runIds: new Set(),
      runHook: HOOK,
      repeats: 0,
      refusals: [],
    },
    bucket: {
      name: "photos",
      put: new Map(),
      putPicture: () => Promise.reject(new Error("not used")),
      read: async (name) => stored.get(name),
      etagOf: async () => undefined,
      keysUnder: async (prefix) => [...stored.keys()].filter((name) => name.startsWith(prefix)),
      close: () => {},
    },
    deliveries: [delivery],
    accounted: new Set(),
    get: async () => ({ status: told.status, text: JSON.stringify(told.value) }),
    wasS3Away: false,
    violations: [],
    counts: {},
  };
  return { id, key, asked, ended, delivery, stored, told, checking };
}
type View = Awaited<ReturnType<typeof oneClassification>>;

test("a classification that was done rightly breaks nothing", async () => {
  const { checking } = await oneClassification();
  await checkClassifications(checking);
  checkStrayMessages(checking);
  expect(checking.violations).toEqual([]);
  expect(checking.counts).toMatchObject({ "classifications succeeded": 1, messages: 1 });
});

const otherLabel = [{ index: 1, label: "pie_chart", score: 0.9 }];
const passing = toItemError(new TransientError("fetch_failed", "S3 was away."));

const BREAKING: [how: string, promise: string, brk: (view: View) => unknown][] = [
  ["is unknown to GET", "an accepted id ends", ({ told }) => (told.status = 404)],
  ["never ends", "an accepted id ends", ({ told, ended }) => (told.value = { ...ended, completed_at: null })],
  ["has no stored result", "an accepted id ends", ({ stored }) => stored.clear()],
  ["has a message that nobody took", "an accepted id ends", ({ delivery }) => (delivery.isTaken = false)],
  [
    "is stored otherwise than it is told",
    "an id has one result",
    ({ stored, key, ended }) => stored.set(key, JSON.stringify({ ...ended, predictions: otherLabel })),
  ],
  [
    "is announced otherwise than it is told",
    "an id has one result",
    ({ delivery }) => (delivery.body = delivery.body.replace("0.9", "0.8")),
  ],
  ["was canceled and has labels", "an id has one result", ({ asked }) => (asked.cancel = "done")],
  [
    "has a message under another id",
    "a message has one id",
    ({ delivery }) => (delivery.messageId = "msg_05q8v2c6n1b4k7t0g3r9h5d8fa"),
  ],
  ["was accepted under two ids", "a request is done once", ({ asked }) => asked.ids.add(newId("cls"))],
  [
    "has a twin that nobody knows",
    "a request is done once",
    ({ stored }) => stored.set(STORAGE_PREFIX + storageKeys.result("default", newId("cls")), "{}"),
  ],
  ["has the wrong label", "everything else", ({ asked }) => (asked.expected = { label: "pie_chart" })],
  [
    "has a signature that does not hold",
    "everything else",
    ({ delivery }) => (delivery.fault = "not signed"),
  ],
  ["was never accepted", "everything else", ({ asked }) => asked.ids.clear()],
];

test.each(BREAKING)("a classification that %s breaks the promise that %s", async (_how, promise, brk) => {
  const view = await oneClassification();
  brk(view);
  await checkClassifications(view.checking);
  expect(view.checking.violations.map((violation) => violation.promise)).toContain(promise);
});

test("a message about what nobody asked for is told", async () => {
  const { checking, delivery } = await oneClassification();
  checking.deliveries = [delivery, { ...delivery, path: "/hooks/2" }];
  await checkClassifications(checking);
  checkStrayMessages(checking);
  expect(checking.violations).toMatchObject([{ promise: "a message has one id" }]);
});

test.each([true, false])(
  "an image may fail for S3 when S3 was away, %s, and only then",
  async (wasS3Away) => {
    const { checking, told, ended, stored, key, delivery } = await oneClassification();
    told.value = { ...ended, status: "failed", predictions: null, error: passing };
    stored.set(key, JSON.stringify(told.value));
    delivery.messageId = await messageId(ended.id, "classification.failed", HOOK);
    delivery.body = JSON.stringify({
      type: "classification.failed",
      timestamp: ended.completed_at,
      data: told.value,
    });
    await checkClassifications({ ...checking, wasS3Away });
    expect(checking.violations).toHaveLength(wasS3Away ? 0 : 1);
  },
);

const line = (custom_id: string, label: string): BatchResult => ({
  custom_id,
  id: newId("cls"),
  status: "succeeded",
  predictions: [{ index: 0, label, score: 0.9 }],
  error: null,
  model_digest: "sha256:0",
  metrics: {},
});

test.each([
  ["no line", ["a"], "an accepted id ends"],
  ["two lines", ["a", "b", "b"], "an id has one result"],
  ["a line that was not asked for", ["a", "b", "c"], "everything else"],
])("a batch that has %s of an item is found out", async (_how, lines, promise) => {
  const { checking, stored } = await oneClassification();
  const id = newId("bat");
  const text = lines.map((customId) => `${JSON.stringify(line(customId, "table"))}\n`).join("");
  stored.set(STORAGE_PREFIX + storageKeys.batchResults(id), text);
  const items = new Map(["a", "b"].map((customId) => [customId, { label: "table" }]));
  await checkItems(id, items, false, checking);
  expect(checking.violations).toMatchObject([{ promise }]);
});
