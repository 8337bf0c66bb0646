import { toDataUrl } from "./figures.ts";

const image = { url: "https://example.com/cat.jpg" };

/** A body that is refused, and what is said of it. */
export interface Refused {
  of: string;
  path?: string;
  body: unknown;
  code?: string;
  status?: number;
  pointers?: string[];
  detail: RegExp;
}

/** Bodies for which no classification is made. */
export const REFUSED_CLASSIFICATIONS: Refused[] = [
  {
    of: "an option that does not exist",
    body: { image, topk: 3 },
    pointers: ["/topk"],
    detail: /^\/topk: there is no such option \(see \/docs\)\.$/,
  },
  {
    of: "two such options",
    body: { image, topk: 3, modle: "x" },
    pointers: ["/topk", "/modle"],
    detail: /topk.*modle/,
  },
  {
    of: "no image",
    body: { top_k: 3 },
    pointers: ["/image"],
    detail: /\{"url": "https:\/\/…"\}, \{"data": .*\}, \{"s3": .*\} or \{"upload_id"/,
  },
  { of: "an empty object", body: {}, pointers: ["/image"], detail: /\/image: must be/ },
  { of: "null", body: null, pointers: [""], detail: /body: .*expected object, received null/ },
  { of: "a list", body: [image], pointers: [""], detail: /body: .*expected object, received array/ },
  {
    of: "an image that is a text",
    body: { image: "https://example.com/cat.jpg" },
    pointers: ["/image"],
    detail: /\{"url"/,
  },
  {
    of: "an image of two sources",
    body: { image: { ...image, data: toDataUrl(Buffer.from("x")) } },
    pointers: ["/image"],
    detail: /must be \{"url"/,
  },
  {
    of: "an image with a field of no meaning",
    body: { image: { ...image, alt: "" } },
    pointers: ["/image/alt"],
    detail: /\/image\/alt/,
  },
  {
    of: "a URL of another scheme",
    body: { image: { url: "ftp://example.com/a.jpg" } },
    pointers: ["/image/url"],
    detail: /must be an http or https URL/,
  },
  {
    of: "a relative URL",
    body: { image: { url: "cat.jpg" } },
    pointers: ["/image/url"],
    detail: /must be an http or https URL/,
  },
  {
    of: "a URL that is too long",
    body: { image: { url: `https://example.com/${"a".repeat(4096)}` } },
    pointers: ["/image/url"],
    detail: /at most 4096 characters/,
  },
  {
    of: "a data URL of no image",
    body: { image: { data: "data:text/plain;base64,aGk=" } },
    pointers: ["/image/data"],
    detail: /must begin with data:image/,
  },
  {
    of: "a data URL without base 64",
    body: { image: { data: "data:image/svg+xml,<svg/>" } },
    pointers: ["/image/data"],
    detail: /must begin with data:image\/…;base64,/,
  },
  {
    of: "an object without its key",
    body: { image: { s3: { bucket: "photos" } } },
    pointers: ["/image"],
    detail: /\{"s3": \{"bucket": "…", "key": "…"\}\}/,
  },
  {
    of: "a bucket that is a path",
    body: { image: { s3: { bucket: "../photos", key: "a" } } },
    pointers: ["/image/s3/bucket"],
    detail: /must be the name of a bucket/,
  },
  {
    of: "a key that is longer than S3 allows",
    body: { image: { s3: { bucket: "photos", key: "é".repeat(513) } } },
    pointers: ["/image/s3/key"],
    detail: /at most 1024 bytes/,
  },
  { of: "a top_k of zero", body: { image, top_k: 0 }, pointers: ["/top_k"], detail: />=1/ },
  {
    of: "a top_k that is a text",
    body: { image, top_k: "3" },
    pointers: ["/top_k"],
    detail: /expected number, received string/,
  },
  {
    of: "a top_k with a fraction",
    body: { image, top_k: 1.5 },
    pointers: ["/top_k"],
    detail: /expected int/,
  },
  { of: "a threshold above 1", body: { image, threshold: 1.1 }, pointers: ["/threshold"], detail: /<=1/ },
  {
    of: "a priority of no such name",
    body: { image, priority: "high" },
    pointers: ["/priority"],
    detail: /"interactive"\|"bulk"/,
  },
  {
    of: "a webhook that is no URL",
    body: { image, webhook: "me" },
    pointers: ["/webhook"],
    detail: /must be an http or https URL/,
  },
  {
    of: "an event of a batch",
    body: { image, webhook_events_filter: ["batch.completed"] },
    pointers: ["/webhook_events_filter/0"],
    detail: /classification\.succeeded/,
  },
  {
    of: "metadata that is no text",
    body: { image, metadata: { album: 5 } },
    pointers: ["/metadata/album"],
    detail: /expected string, received number/,
  },
  {
    of: "a metadata key with a slash that is too long",
    body: { image, metadata: { [`a/${"b".repeat(63)}`]: "" } },
    pointers: [`/metadata/a~1${"b".repeat(63)}`],
    detail: /<=64 characters/,
  },
  {
    of: "17 metadata keys",
    body: { image, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, ""])) },
    pointers: ["/metadata"],
    detail: /at most 16 keys/,
  },
  {
    of: "a model's name that is none",
    body: { image, model: "../x" },
    pointers: ["/model"],
    detail: /must be the name of a model, such as figures/,
  },
  { of: "malformed JSON", body: '{"image": ', detail: /JSON/ },
  { of: "an empty body", body: "", detail: /JSON/ },
];
