import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";

/** The folder of the manifests. */
export const K8S = "infra/k8s";
/** What is applied to a cluster: one of these. */
export const OVERLAYS = ["cpu", "gpu"] as const;

const Kustomization = z.strictObject({
  apiVersion: z.enum(["kustomize.config.k8s.io/v1beta1", "kustomize.config.k8s.io/v1alpha1"]),
  kind: z.enum(["Kustomization", "Component"]),
  // A component has that of the overlay that takes it.
  namespace: z.literal("tresline").optional(),
  resources: z.array(z.string()),
  images: z.array(z.strictObject({ name: z.string(), newTag: z.string() })).default([]),
  configMapGenerator: z
    .array(z.strictObject({ name: z.string(), literals: z.array(z.string()) }))
    .default([]),
});

/** One object of a cluster, as a manifest says it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  [field: string]: unknown;
}

/** Everything that kustomize makes of a folder, as far as these manifests use it, but its names and tags. */
export interface Kustomized {
  manifests: Manifest[];
  images: Record<string, string>;
  settings: Record<string, string>;
}

/** Reads a folder with a kustomization and all that it leads to. Throws when a resource is not there or a field is not known. */
export function readKustomized(folder: string): Kustomized {
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const { resources, images, configMapGenerator } = Kustomization.parse(parse(read("kustomization.yaml")));
  const parts = resources.map((resource) =>
    resource.endsWith(".yaml")
      ? { manifests: readManifests(read(resource)), images: {}, settings: {} }
      : readKustomized(join(folder, resource)),
  );
  const literals = configMapGenerator.flatMap((each) => each.literals);
  return {
    manifests: parts.flatMap((part) => part.manifests),
    images: Object.assign(
      {},
      ...parts.map((part) => part.images),
      ...images.map(({ name, newTag }) => ({ [name]: newTag })),
    ) as Record<string, string>,
    settings: Object.assign(
      {},
      ...parts.map((part) => part.settings),
      Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s).slice(0, 2))),
    ) as Record<string, string>,
  };
}

function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] ?? new Error("unreachable");
    return document.toJS() as Manifest;
  });
}
