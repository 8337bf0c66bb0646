import { ObjectRecord } from "../../../shared/contracts/object-record.ts";
import type { ForLabeler } from "../../../shared/contracts/queue-payloads.ts";
import { storageKeys } from "../../../shared/keys.ts";
import { newId } from "../../../shared/new-id.ts";
import { getLabelerState, putLabeler } from "../../../shared/state/labelers.ts";
import type { ClassifyDeps } from "../../../worker/classify/start.ts";
import { labelObject } from "../../../worker/label/label-object.ts";
import { objectHash } from "../../../worker/label/object-record.ts";
import type { ObjectToLabel } from "../../../worker/label/object-to-label.ts";
import type { FakeBucket } from "../../support/fake-bucket.ts";
import { labelerRecord } from "../../support/labeler-record.ts";
import { TEST_DIGEST, testLabelling } from "../../support/labelling.ts";
import type { WorkerTestDeps } from "../../support/worker-deps.ts";

/** The first try of an object. */
export const FIRST = { number: 1, crashes: 0, isRepeated: false, lastTry: false };
/** The last one. */
export const LAST = { number: 5, crashes: 0, isRepeated: true, lastTry: true };
/** The bucket that the objects are in. */
export const BUCKET = "photos";
/** What a white object is labelled. */
export const SWAN = { index: 0, label: "swan", score: 0.9 };
/** What a black object is labelled. */
export const RAVEN = { index: 1, label: "raven", score: 0.8 };
/** A tag that an object has of somebody else. */
export const theirs = { key: "project", value: "x" };
/** The tags that labels are written back as. */
export const tagsOfLabels = (label: string, score: string) => [
  { key: "tresline.label", value: label },
  { key: "tresline.score", value: score },
  { key: "tresline.labels", value: label },
  { key: "tresline.model", value: "birds@000000000000" },
];

/** What one test labels with: a bucket and a labeler of its own. */
export interface AtHand {
  deps: WorkerTestDeps;
  bucket: FakeBucket;
  labelerId: string;
}

/** Makes a labeler and gives its id. */
export async function newLabeler({ redis }: WorkerTestDeps): Promise<string> {
  const made = labelerRecord();
  await putLabeler(redis, made);
  return made.id;
}

/** How a test labels objects and looks at what came of it, with what is `atHand` at that moment. */
export function objectsToLabel(atHand: () => AtHand) {
  /** An object to label as an event told of it; a run when `mode` says so. */
  const toLabel = (
    key: string,
    { etag, ...labeler }: Partial<ForLabeler> & { etag?: string } = {},
  ): ObjectToLabel => ({
    id: newId("cls"),
    tenant: "default",
    labeler: { id: atHand().labelerId, write_back: "tags", on_error: "report", mode: "live", ...labeler },
    bucket: BUCKET,
    key,
    etag,
    topK: 1,
    threshold: 0,
  });
  const labelling = (more: Partial<ClassifyDeps> = {}, digest = TEST_DIGEST): ClassifyDeps => {
    const { deps, bucket } = atHand();
    const { classifyDeps } = testLabelling({ ...deps, ...bucket, ...more }, {});
    return { ...classifyDeps, model: { ...classifyDeps.model, digest } };
  };
  const label = (object: ObjectToLabel, objectTry = FIRST, more: Partial<ClassifyDeps> = {}) =>
    labelObject(object, objectTry, labelling(more));
  async function record(key: string): Promise<ObjectRecord | undefined> {
    const { deps, labelerId } = atHand();
    const hash = await objectHash({ bucket: BUCKET, key });
    const bytes = await deps.storage.get(storageKeys.objectRecord(labelerId, hash));
    return bytes && ObjectRecord.parse(JSON.parse(new TextDecoder().decode(bytes)));
  }
  async function counts() {
    const { deps, labelerId } = atHand();
    return (await getLabelerState(deps.redis, "default", labelerId))?.labeler.event_counts;
  }
  return { toLabel, labelling, label, record, counts };
}
