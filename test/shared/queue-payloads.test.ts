import { expect, test } from "vitest";
import type { z } from "zod";
import {
  BatchRecord,
  ClassifyObjectPayload,
  ClassifyPayload,
  DeliverPayload,
  ScanPayload,
  SweepPayload,
} from "../../shared/contracts/queue-payloads.ts";
import { oldPayload } from "../support/old-payloads.ts";

const PAYLOADS: [name: string, schema: z.ZodType][] = [
  ["image", ClassifyPayload],
  ["chunk", ClassifyPayload],
  ["chunk-of-a-run", ClassifyPayload],
  ["object", ClassifyObjectPayload],
  ["scan-enqueue", ScanPayload],
  ["scan-finish", ScanPayload],
  ["scan-expire", ScanPayload],
  ["scan-delete", ScanPayload],
  ["scan-sweep", SweepPayload],
  ["message-to-url", DeliverPayload],
  ["message-to-endpoint", DeliverPayload],
  ["batch-record", BatchRecord],
];

/** What is the client's own, whatever its names are. */
const FREE = ["metadata"];

/** The same with a field in every object that nobody here knows. */
function withUnknownFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withUnknownFields);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [
    name,
    FREE.includes(name) ? (each as unknown) : withUnknownFields(each),
  ]);
  return { ...Object.fromEntries(fields), of_a_newer_version: { level: 2 } };
}

test.each(PAYLOADS)("%s of version 0.1.0 is read with all that it says", (name, schema) => {
  const payload = oldPayload(name);
  expect(schema.parse(payload)).toMatchObject(payload);
});

test.each(PAYLOADS)("%s of a newer version is read without what only that one knows", (name, schema) => {
  const payload = oldPayload(name);
  expect(schema.parse(withUnknownFields(payload))).toEqual(schema.parse(payload));
});
