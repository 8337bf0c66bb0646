import type { ItemError } from "../../shared/contracts/error.ts";
import type { Prediction } from "../../shared/contracts/prediction.ts";
import type { ForLabeler } from "../../shared/contracts/queue-payloads.ts";
import type { Sidecar } from "../../shared/contracts/sidecar.ts";
import type { LabelWriter, LabelledObject } from "../../shared/storage/label-writer.ts";
import { ObjectChangedError } from "../../shared/storage/source-buckets.ts";
import type { SourceBuckets } from "../../shared/storage/source-buckets.ts";
import { areSameTags, errorTags, labelTags, withOurTags } from "./object-tags.ts";

/** The most bytes of a sidecar that are looked at: a file that is larger is not as we would write it. */
const MAX_SIDECAR_BYTES = 1_000_000;

/** What is found of one version of an object: its labels, or why there are none. */
export interface Finding {
  etag: string;
  model: { name: string; digest: string };
  outcome: { predictions: Prediction[] } | { error: ItemError };
}

/**
 * Writes back what is found of an object, unless that is written there already.
 * @throws ObjectChangedError when tags were written and the object is another by now, PermanentError when it can never be written
 */
export async function writeBack(
  how: ForLabeler["write_back"],
  object: LabelledObject,
  finding: Finding,
  doors: { buckets: SourceBuckets; labelWriter: LabelWriter },
): Promise<void> {
  if (how === "tags") await writeTags(object, finding, doors);
  if (how === "sidecar") await writeSidecar(object, finding, doors.labelWriter);
}

async function writeTags(
  object: LabelledObject,
  { etag, model, outcome }: Finding,
  { buckets, labelWriter }: { buckets: SourceBuckets; labelWriter: LabelWriter },
): Promise<void> {
  const present = await labelWriter.getTags(object);
  const ours = "error" in outcome ? errorTags(outcome.error.code) : labelTags(outcome.predictions, model);
  const wanted = withOurTags(present, ours);
  if (areSameTags(present, wanted)) return;
  await labelWriter.putTags(object, wanted);
  // S3 has no condition for tags: those of the version before may have gone to one that was put there meanwhile.
  if ((await buckets.etagOf(object)) !== etag)
    throw new ObjectChangedError(
      "fetch_failed",
      `s3://${object.bucket}/${object.key} was replaced by another while it was tagged.`,
    );
}

async function writeSidecar(
  object: LabelledObject,
  { etag, model, outcome }: Finding,
  labelWriter: LabelWriter,
): Promise<void> {
  const failed = "error" in outcome;
  const sidecar: Sidecar = {
    key: object.key,
    etag,
    model: model.name,
    model_digest: model.digest,
    predictions: failed ? null : outcome.predictions,
    error: failed ? { code: outcome.error.code, detail: outcome.error.detail } : null,
  };
  const json = JSON.stringify(sidecar);
  const present = await labelWriter.getSidecar(object, { maxBytes: MAX_SIDECAR_BYTES });
  if (present === undefined || new TextDecoder().decode(present) !== json)
    await labelWriter.putSidecar(object, json);
}
