import { TransientError } from "../../shared/errors.ts";

/** Why an item of a batch has no labels that was to end before the item's turn came. */
export const stopReason = (as: "canceled" | "expired"): TransientError =>
  as === "expired"
    ? new TransientError("deadline_exceeded", "The deadline of its batch passed before it was labelled.")
    : new TransientError("canceled", "Its batch was canceled before it was labelled.");
