import type { Scope } from "../../shared/contracts/api-key.ts";
import { OPERATOR } from "../middleware/require-operator.ts";
import type { Visitor } from "./session.ts";

/** A place in the navigation, current on every page below its path. */
export interface Section {
  path: string;
  title: string;
  /** What a key needs to be shown it. */
  scope: Scope;
  /** Of all tenants, and so for whoever runs the service. */
  isOperators?: true;
}

/** The navigation, in its order. */
export const SECTIONS: readonly Section[] = [
  { path: "/console", title: "Classify", scope: "classify" },
  { path: "/console/classifications", title: "Classifications", scope: "read" },
  { path: "/console/batches", title: "Batches", scope: "read" },
  { path: "/console/labelers", title: "Labelers", scope: "read" },
  { path: "/console/webhooks", title: "Webhooks", scope: "admin" },
  { path: "/console/models", title: "Models", scope: "read" },
  { path: "/console/queues", title: "Queues", scope: "admin", isOperators: true },
  { path: "/console/workers", title: "Workers", scope: "admin", isOperators: true },
];

/** The navigation of whoever has signed in. */
export const sectionsFor = ({ tenant, scopes }: Visitor): Section[] =>
  SECTIONS.filter(
    ({ scope, isOperators }) => scopes.includes(scope) && (!isOperators || tenant === OPERATOR),
  );

/** The section that a path belongs to; undefined for none, as that of signing in. */
export const sectionOf = (path: string): Section | undefined =>
  SECTIONS.findLast((section) => path === section.path || path.startsWith(`${section.path}/`));
