import type { Refused } from "./refused-classifications.ts";

const BATCHES = "/v1/batches";
const image = { url: "https://example.com/cat.jpg" };

/** An item of a batch that nothing is wrong with. */
export const item = (custom_id: string) => ({ custom_id, image });

/** Bodies for which no batch is made. */
export const REFUSED_BATCHES: Refused[] = [
  {
    of: "a batch without items",
    path: BATCHES,
    body: {},
    pointers: [""],
    detail: /^body: must have exactly one of items, manifest, prefix and inventory/,
  },
  {
    of: "a batch of two sources",
    path: BATCHES,
    body: { items: [item("a")], prefix: { bucket: "photos", prefix: "" } },
    pointers: [""],
    detail: /exactly one of items, manifest, prefix and inventory/,
  },
  {
    of: "a manifest that is no object",
    path: BATCHES,
    body: { manifest: "s3://photos/list.csv" },
    pointers: ["/manifest"],
    detail: /expected object/,
  },
  {
    of: "a manifest without a key",
    path: BATCHES,
    body: { manifest: { s3: { bucket: "photos" } } },
    pointers: ["/manifest/s3/key"],
    detail: /is missing: expected string/,
  },
  {
    of: "suffixes that are a text",
    path: BATCHES,
    body: { prefix: { bucket: "photos", prefix: "", suffixes: ".jpg" } },
    pointers: ["/prefix/suffixes"],
    detail: /expected array/,
  },
  {
    of: "a prefix with an option of no such name",
    path: BATCHES,
    body: { prefix: { bucket: "photos", prefix: "", recursive: true } },
    pointers: ["/prefix/recursive"],
    detail: /there is no such option/,
  },
  {
    of: "a batch of no items",
    path: BATCHES,
    body: { items: [] },
    pointers: ["/items"],
    detail: />=1 items/,
  },
  {
    of: "a batch's item without an id",
    path: BATCHES,
    body: { items: [item("a"), { image }] },
    pointers: ["/items/1/custom_id"],
    detail: /is missing: expected string/,
  },
  {
    of: "a batch's item with an empty id",
    path: BATCHES,
    body: { items: [item("")] },
    pointers: ["/items/0/custom_id"],
    detail: />=1 characters/,
  },
  {
    of: "a batch's item without an image",
    path: BATCHES,
    body: { items: [{ custom_id: "a" }] },
    pointers: ["/items/0/image"],
    detail: /must be \{"url"/,
  },
  {
    of: "a batch that names two items alike",
    path: BATCHES,
    body: { items: [item("a"), item("b"), item("a")] },
    pointers: ["/items/2/custom_id"],
    detail: /"a" is already the custom_id of item 0/,
  },
  {
    of: "a batch with a priority",
    path: BATCHES,
    body: { items: [item("a")], priority: "bulk" },
    pointers: ["/priority"],
    detail: /priority/,
  },
  { of: "malformed JSON for a batch", path: BATCHES, body: "[", detail: /JSON/ },
];
