import type { ErrorCode } from "../../shared/contracts/error.ts";
import type { Prediction } from "../../shared/contracts/prediction.ts";
import { PermanentError } from "../../shared/errors.ts";
import type { ObjectTag } from "../../shared/storage/label-writer.ts";

/** How many tags an object may have (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html). */
export const MAX_TAGS = 10;
/** The longest value of a tag: AWS counts 256 units of UTF-16, Ceph 256 bytes of UTF-8, which are never fewer. */
const MAX_VALUE_BYTES = 256;
/** What AWS does not take in a value, `[\p{L}\p{Z}\p{N}_.:/=+\-@]` being what it does, and the `/` that stands between labels here. */
const NOT_IN_A_LABEL = /[^\p{L}\p{N} _.:=+\-@]/gu;
/** How many digits of a model's digest tell it from others. */
const DIGEST_DIGITS = 12;

const OURS = ["tresline.label", "tresline.score", "tresline.labels", "tresline.model", "tresline.error"];

/** The tags that tell an object's labels, best first, the most important tag first. Without a prediction there is no label and no score. */
export function labelTags(
  predictions: readonly Prediction[],
  model: { name: string; digest: string },
): ObjectTag[] {
  const labels = predictions.map(({ label }) => asTag(label));
  const [best] = predictions;
  const digest = model.digest.replace(/^sha256:/, "").slice(0, DIGEST_DIGITS);
  return [
    ...(best === undefined ? [] : [{ key: "tresline.label", value: asTag(best.label) }]),
    ...(best === undefined ? [] : [{ key: "tresline.score", value: String(best.score) }]),
    { key: "tresline.labels", value: joinWhileTheyFit(labels) },
    { key: "tresline.model", value: `${model.name}@${digest}` },
  ];
}

/** The tags that tell that an object cannot be labelled. */
export const errorTags = (code: ErrorCode): ObjectTag[] => [{ key: "tresline.error", value: code }];

/**
 * All tags that an object is to have: those that others set, and of ours as many as there is room for instead of all that
 * we set before.
 * @throws PermanentError conflict when there is no room for any
 */
export function withOurTags(present: readonly ObjectTag[], ours: readonly ObjectTag[]): ObjectTag[] {
  const others = present.filter(({ key }) => !OURS.includes(key));
  const room = MAX_TAGS - others.length;
  if (room <= 0)
    throw new PermanentError(
      "conflict",
      `The object has ${others.length} tags of others and S3 allows ${MAX_TAGS}, so there is no room for its labels: remove a tag, or let the labeler write a sidecar.`,
    );
  return [...others, ...ours.slice(0, room)];
}

/** Whether two sets of tags are the same, in whatever order. */
export function areSameTags(some: readonly ObjectTag[], others: readonly ObjectTag[]): boolean {
  const values = new Map(others.map(({ key, value }) => [key, value]));
  return some.length === others.length && some.every(({ key, value }) => values.get(key) === value);
}

/** A label as a tag has it: composed, what is not allowed there replaced by `_`, and cut to what fits. */
function asTag(label: string): string {
  const allowed = label.normalize("NFC").replaceAll(NOT_IN_A_LABEL, "_");
  let value = "";
  let bytes = 0;
  for (const character of allowed) {
    bytes += bytesOf(character);
    if (bytes > MAX_VALUE_BYTES) break;
    value += character;
  }
  return value;
}

/** The first of the labels with `/` between them, as many as fit whole. */
function joinWhileTheyFit(labels: readonly string[]): string {
  let joined = "";
  for (const [place, label] of labels.entries()) {
    const longer = place === 0 ? label : `${joined}/${label}`;
    if (bytesOf(longer) > MAX_VALUE_BYTES) break;
    joined = longer;
  }
  return joined;
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length;
