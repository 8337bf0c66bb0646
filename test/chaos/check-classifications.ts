import { isDeepStrictEqual } from "node:util";
import { Classification } from "../../shared/contracts/classification.ts";
import { storageKeys } from "../../shared/keys.ts";
import { checkMessage } from "./check-message.ts";
import { faultOfOutcome, isPassing } from "./check-outcome.ts";
import { count, violate } from "./checking.ts";
import type { Checking } from "./checking.ts";
import { getAccepted } from "./get-accepted.ts";
import type { AskedClassification } from "./ledger.ts";
import { STORAGE_PREFIX } from "./test-bucket.ts";

/** Accounts for each classification that was asked for, and looks for those that nobody knows. */
export async function checkClassifications(checking: Checking): Promise<void> {
  const { ledger, bucket } = checking;
  for (const asked of ledger.classifications) await checkOne(asked, checking);
  const known = new Set(ledger.classifications.flatMap(({ ids }) => [...ids]));
  const stored = await bucket.keysUnder(STORAGE_PREFIX + storageKeys.results());
  for (const key of stored) {
    const id = key.replace(/^.*\/(\w+)\.json$/, "$1");
    if (!known.has(id))
      violate(checking, "a request is done once", id, "is stored, and no request was answered with it");
  }
}

async function checkOne(asked: AskedClassification, checking: Checking): Promise<void> {
  const accepted = await getAccepted(asked, "/v1/classifications", checking);
  if (accepted === undefined) return;
  const { id, text } = accepted;
  const told = Classification.parse(JSON.parse(text));
  if (told.completed_at === null)
    return violate(checking, "an accepted id ends", id, `is ${told.status} long after everything was well`);
  const stored = await checking.bucket.read(STORAGE_PREFIX + storageKeys.result("default", id));
  if (stored === undefined)
    violate(checking, "an accepted id ends", id, "has ended, and no result is stored");
  else if (!isDeepStrictEqual(Classification.parse(JSON.parse(stored)), told))
    violate(checking, "an id has one result", id, `GET says ${text}, storage ${stored}`);
  const fault = faultOfOutcome(told, asked.expected, {
    mayFail: checking.wasS3Away && asked.needsS3,
    mayBeCanceled: asked.cancel !== "no",
  });
  if (fault !== undefined) violate(checking, "everything else", id, fault);
  if (asked.cancel === "done" && told.status !== "canceled")
    violate(checking, "an id has one result", id, `canceling was answered, and it is ${told.status}`);
  count(checking, isPassing(told) ? "classifications that failed for S3" : `classifications ${told.status}`);
  if (asked.hook !== undefined)
    await checkMessage({ resource: told, type: `classification.${told.status}`, url: asked.hook }, checking);
}
