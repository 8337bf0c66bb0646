import type { LabelerRecord } from "../../shared/contracts/labeler.ts";
import { newId } from "../../shared/new-id.ts";

/** What a new labeler of the bucket `photos` is made of. */
export function labelerRecord(more: Partial<LabelerRecord> = {}): LabelerRecord {
  const id = newId("lbl");
  return {
    id,
    tenant: "default",
    bucket: "photos",
    prefix: "",
    suffixes: null,
    model: "birds",
    top_k: 1,
    threshold: 0,
    write_back: "none",
    on_error: "report",
    metadata: {},
    webhook: null,
    created_at: new Date().toISOString(),
    url: `https://api.example/v1/labelers/${id}`,
    ...more,
  };
}
