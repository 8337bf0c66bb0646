import type { Scope } from "../../shared/contracts/api-key.ts";

/** A place in the navigation: shown to keys with its scope, and current on every page below its path. */
export interface Section {
  path: string;
  title: string;
  scope: Scope;
}

/** The navigation, in its order. */
export const SECTIONS: readonly Section[] = [
  { path: "/console", title: "Classify", scope: "classify" },
  { path: "/console/classifications", title: "Classifications", scope: "read" },
  { path: "/console/batches", title: "Batches", scope: "read" },
  { path: "/console/labelers", title: "Labelers", scope: "read" },
  { path: "/console/webhooks", title: "Webhooks", scope: "admin" },
  { path: "/console/models", title: "Models", scope: "read" },
  { path: "/console/queues", title: "Queues", scope: "admin" },
  { path: "/console/workers", title: "Workers", scope: "admin" },
];

/** The section that a path belongs to; undefined for none, as that of signing in. */
export const sectionOf = (path: string): Section | undefined =>
  SECTIONS.findLast((section) => path === section.path || path.startsWith(`${section.path}/`));
