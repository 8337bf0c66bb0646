import { Run } from "../../shared/contracts/labeler.ts";
import { Sidecar } from "../../shared/contracts/sidecar.ts";
import { storageKeys } from "../../shared/keys.ts";
import { sidecarKey } from "../../shared/sidecar-key.ts";
import { checkItems } from "./check-batches.ts";
import { checkMessage } from "./check-message.ts";
import { count, violate } from "./checking.ts";
import type { Checking } from "./checking.ts";
import type { AskedObject } from "./ledger.ts";
import { STORAGE_PREFIX } from "./test-bucket.ts";
import type { TestBucket } from "./test-bucket.ts";

/** The objects that have no sidecar of their very version, or one that says that they failed although they can be labelled. */
export async function unlabelledObjects(
  objects: readonly AskedObject[],
  bucket: TestBucket,
): Promise<AskedObject[]> {
  const faults = await Promise.all(
    objects.map(async (object) => ({ object, fault: await faultOf(object, bucket) })),
  );
  return faults.flatMap(({ object, fault }) => (fault === undefined ? [] : [object]));
}

/** Accounts for each object of the labeler's bucket by its sidecar, and for each object that a run found by its line. */
export async function checkLabeler(firstRunFound: readonly AskedObject[], checking: Checking): Promise<void> {
  const { ledger, bucket } = checking;
  for (const object of ledger.objects) {
    const fault = await faultOf(object, bucket);
    if (fault === undefined) count(checking, "objects with their sidecar");
    else violate(checking, "an accepted id ends", object.key, fault);
  }
  const found = new Set(firstRunFound.map(({ key }) => key));
  for (const id of ledger.runIds) {
    const { status, text } = await checking.get(`/v1/labelers/${ledger.labelerId}/runs/${id}`);
    if (status !== 200) {
      violate(checking, "an accepted id ends", id, `GET is answered ${status}: ${text}`);
      continue;
    }
    const run = Run.parse(JSON.parse(text));
    if (run.status !== "completed")
      violate(checking, "an accepted id ends", id, `is ${run.status} long after everything was well`);
    // What arrived while the first run listed may or may not have been there for it.
    const lines = await bucket.read(STORAGE_PREFIX + storageKeys.batchResults(id));
    const listed = ledger.objects.filter(({ key }) => found.has(key) || lines?.includes(JSON.stringify(key)));
    await checkItems(id, new Map(listed.map(({ key, expected }) => [key, expected])), false, checking);
    await checkMessage({ resource: run, type: `labeler.run.${run.status}`, url: ledger.runHook }, checking);
    count(checking, "runs completed");
  }
}

/** Why an object's sidecar is not as it is to be. */
async function faultOf({ key, expected }: AskedObject, bucket: TestBucket): Promise<string | undefined> {
  const text = await bucket.read(await sidecarKey(key));
  if (text === undefined) return "it has no sidecar";
  const sidecar = Sidecar.parse(JSON.parse(text));
  const etag = await bucket.etagOf(key);
  if (sidecar.etag !== etag) return `its sidecar is of ${sidecar.etag}, and it is ${etag}`;
  const isRight =
    "code" in expected
      ? sidecar.error?.code === expected.code
      : sidecar.predictions?.[0]?.label === expected.label && sidecar.error === null;
  return isRight ? undefined : `its sidecar says ${text}`;
}
