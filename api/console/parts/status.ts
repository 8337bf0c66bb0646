import { html } from "hono/html";
import type { Html } from "../page.ts";

/** What colour a state has; states that are not here are plain. */
const TONES: Readonly<Record<string, "good" | "bad" | "warn" | "busy">> = {
  active: "good",
  aborted: "warn",
  canceled: "warn",
  canceling: "busy",
  completed: "good",
  delivered: "good",
  disabled: "bad",
  enabled: "good",
  expired: "warn",
  failed: "bad",
  finalizing: "busy",
  in_progress: "busy",
  not_sent: "bad",
  paused: "warn",
  pending: "busy",
  processing: "busy",
  queued: "busy",
  ready: "good",
  refused: "bad",
  running: "good",
  served: "good",
  stopping: "warn",
  succeeded: "good",
  validating: "busy",
};

/** The state of a thing as a badge. */
export const statusBadge = (status: string): Html =>
  html`<span class="status ${TONES[status]}">${status.replaceAll("_", " ")}</span>`;
