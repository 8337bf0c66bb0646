import type { ClassificationMetrics } from "../../shared/contracts/classification.ts";
import type { ObjectRecord } from "../../shared/contracts/object-record.ts";
import { classifyImage } from "../classify/classify-image.ts";
import type { Labelled } from "../classify/classify-image.ts";
import type { ClassifyDeps } from "../classify/start.ts";
import { needsLabels, readObjectRecord, writeObjectRecord } from "./object-record.ts";
import type { ObjectEnd, ObjectToLabel, ObjectTry } from "./object-to-label.ts";
import { settle } from "./settle.ts";
import type { Settled } from "./settle.ts";
import { writeBack } from "./write-back.ts";
import type { Finding } from "./write-back.ts";

/**
 * Labels one version of an object unless its labels are known, writes them back, and then writes down that they are known.
 * "changed" or "gone" when there is no such version any more. Throws what is to be tried again.
 */
export async function labelVersion(
  object: ObjectToLabel,
  hash: string,
  etag: string,
  objectTry: ObjectTry,
  deps: ClassifyDeps,
): Promise<ObjectEnd | "changed" | "gone"> {
  const { id, labeler, bucket, key } = object;
  const { storage, model } = deps;
  const known = await readObjectRecord(storage, labeler.id, hash);
  if (known?.id === id && (labeler.mode !== "live" || objectTry.isRepeated)) return endOf(known);
  if (!needsLabels(labeler.mode, { etag, modelDigest: model.digest }, known))
    return { status: "skipped", etag };

  const labelled = await labelAndWriteBack(object, etag, objectTry, deps);
  if (labelled.status === "changed" || labelled.status === "gone") return labelled.status;
  const record: ObjectRecord = {
    id,
    bucket,
    key,
    etag,
    model: model.name,
    model_digest: model.digest,
    predictions: labelled.status === "done" ? labelled.result.predictions : null,
    error: labelled.status === "failed" ? labelled.error : null,
    previous: known && {
      label: known.predictions?.[0]?.label ?? null,
      model_digest: known.model_digest,
    },
    labelled_at: new Date().toISOString(),
  };
  await writeObjectRecord(storage, labeler.id, hash, record);
  return endOf(record, labelled.status === "done" ? labelled.result.metrics : {});
}

/** The end that a record tells of. */
function endOf(
  { etag, previous, predictions, error }: ObjectRecord,
  metrics: ClassificationMetrics = {},
): ObjectEnd {
  if (error !== null) return { status: "failed", etag, previous, error };
  if (predictions === null) throw new Error("A record has neither labels nor an error. This is a bug.");
  return { status: "succeeded", etag, previous, predictions, metrics };
}

/** What fails is marked as failed when the labeler wants that; a mark that cannot be written is only logged. */
async function labelAndWriteBack(
  object: ObjectToLabel,
  etag: string,
  { crashes, lastTry }: ObjectTry,
  deps: ClassifyDeps,
): Promise<Settled<Labelled>> {
  const { id, labeler, bucket, key } = object;
  const { model, logger } = deps;
  const imageTry = { lastTry, id, logger };
  const write = (outcome: Finding["outcome"]) =>
    writeBack(labeler.write_back, object, { etag, model, outcome }, deps);
  const labelled = await settle(async () => {
    const found = await classifyVersion(object, etag, crashes, deps);
    await write(found);
    return found;
  }, imageTry);
  if (labelled.status !== "failed" || labeler.on_error !== "write_back") return labelled;
  const marked = await settle(() => write({ error: labelled.error }), imageTry);
  if (marked.status === "changed" || marked.status === "gone") return marked;
  if (marked.status === "failed")
    logger.warn({ id, bucket, key, reason: marked.error.detail }, "an object could not be marked as failed");
  return labelled;
}

function classifyVersion(
  { id, tenant, bucket, key, topK, threshold }: ObjectToLabel,
  etag: string,
  crashes: number,
  { labelling, quarantine }: ClassifyDeps,
): Promise<Labelled> {
  const image = { type: "s3", bucket, key, etag } as const;
  const run = () => classifyImage(image, { lane: "bulk", tenant }, { topK, threshold }, labelling);
  return crashes > 0 ? quarantine(id, run) : run();
}
