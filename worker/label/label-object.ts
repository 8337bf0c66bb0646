import { PermanentError, TransientError, toItemError } from "../../shared/errors.ts";
import { claimObject, releaseAndCount, releaseObject } from "../../shared/state/object-claims.ts";
import { failureOf } from "../classify/outcome.ts";
import type { ClassifyDeps } from "../classify/start.ts";
import { labelVersion } from "./label-version.ts";
import { objectHash } from "./object-record.ts";
import type { ObjectEnd, ObjectToLabel, ObjectTry } from "./object-to-label.ts";
import { settle } from "./settle.ts";

/** How often labelling starts over with a version that was put there meanwhile. */
const MAX_STARTS = 3;
/** The counter of a labeler for each end of an object that an event told of. */
const COUNTERS = { succeeded: "labelled", failed: "failed", skipped: "skipped" } as const;

/**
 * The life of one object of a labeler: claim it, find its version, label that very version unless its labels are known,
 * and let go of it. Whoever starts over after any step comes to the same end. "busy" when another has claimed it: come
 * again. Throws what is to be tried again, and keeps the claim for that.
 *
 * Who finds another's claim is not skipped at once, although that other job will be done: it may be about the version
 * before the one that this job was told of, or be canceled with its run. Coming again, it finds what is known then.
 */
export async function labelObject(
  object: ObjectToLabel,
  objectTry: ObjectTry,
  deps: ClassifyDeps,
): Promise<ObjectEnd | "busy"> {
  const { id, labeler } = object;
  const hash = await objectHash(object);
  const claim = { labelerId: labeler.id, object: hash, id };
  const answer = await claimObject(deps.redis, claim, { isRepeated: objectTry.isRepeated });
  if (answer === "taken") return "busy";
  if (answer === "ended") return { status: "skipped" };
  const end = await labelPresent(object, hash, objectTry, deps);
  if (labeler.mode === "live") await releaseAndCount(deps.redis, claim, COUNTERS[end.status]);
  else await releaseObject(deps.redis, claim);
  deps.metrics.objectEnded(labeler.mode, end.status);
  return end;
}

/** Labels the version that is there, and starts over when it is replaced meanwhile. */
async function labelPresent(
  object: ObjectToLabel,
  hash: string,
  objectTry: ObjectTry,
  deps: ClassifyDeps,
): Promise<ObjectEnd> {
  const { id, bucket, key } = object;
  const imageTry = { lastTry: objectTry.lastTry, id, logger: deps.logger };
  let listed = object.etag;
  for (let start = 1; start <= MAX_STARTS; start++) {
    const seen = await settle(async () => listed ?? deps.buckets.etagOf({ bucket, key }), imageTry);
    if (seen.status === "failed") return seen;
    const end =
      seen.status === "done" ? await labelVersion(object, hash, seen.result, objectTry, deps) : "gone";
    if (end === "gone") return endOfGone(object);
    if (end !== "changed") return end;
    listed = undefined;
  }
  const said = `s3://${bucket}/${key} was replaced ${MAX_STARTS} times while it was being labelled.`;
  return { status: "failed", error: failureOf(new TransientError("fetch_failed", said), imageTry) };
}

/** Nobody waits for the labels of an object that came and went; a run promised a line for each object that it listed. */
function endOfGone({ labeler, bucket, key }: ObjectToLabel): ObjectEnd {
  if (labeler.mode === "live") return { status: "skipped" };
  const error = new PermanentError("fetch_failed", `s3://${bucket}/${key} is no longer there.`);
  return { status: "failed", error: toItemError(error) };
}
