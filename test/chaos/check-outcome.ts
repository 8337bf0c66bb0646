import type { ItemError } from "../../shared/contracts/error.ts";
import type { Prediction } from "../../shared/contracts/prediction.ts";
import type { Expected } from "./pictures.ts";

/** How an image ended. */
interface Ended {
  status: string;
  predictions: Prediction[] | null;
  error: ItemError | null;
}

/** What the harness knows of it besides how it is to end. */
interface Known {
  /** Whether S3 is needed for it and was away: it may then have failed for that, which passes. */
  mayFail: boolean;
  mayBeCanceled: boolean;
}

/** Why an image must not have ended so; undefined when it may. */
export function faultOfOutcome(
  ended: Ended,
  expected: Expected,
  { mayFail, mayBeCanceled }: Known,
): string | undefined {
  const { status, predictions, error } = ended;
  if (status === "canceled")
    return mayBeCanceled ? undefined : "it was canceled, and nobody had asked for that";
  if (isPassing(ended))
    return mayFail ? undefined : `it failed for what passes: ${error?.code} ${error?.detail}`;
  if ("code" in expected)
    return status === "failed" && error?.code === expected.code
      ? undefined
      : `it is ${status} (${error?.code}), not failed with ${expected.code}`;
  const label = predictions?.[0]?.label;
  return status === "succeeded" && label === expected.label
    ? undefined
    : `it is ${status} with the label ${label} and the error ${error?.code}, not ${expected.label}`;
}

/** Whether an image failed for something that passes: it is accounted for, and may be tried again. */
export const isPassing = ({ status, error }: Ended): boolean =>
  status === "failed" && error?.retryable === true;
