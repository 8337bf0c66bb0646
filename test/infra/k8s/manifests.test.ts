import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { Namespace, Service } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { WorkerConfig } from "../../../worker/config.ts";
import { OVERLAYS } from "./read-manifests.ts";
import type { Manifest } from "./read-manifests.ts";
import { dockerfiles, readOverlay, variable } from "./read-overlay.ts";
import { unknownFields } from "./unknown-fields.ts";
import type { Validated } from "./unknown-fields.ts";

const KINDS: Record<string, (manifest: object) => Validated> = {
  Namespace: (manifest) => new Namespace(manifest),
  Service: (manifest) => new Service(manifest),
  Deployment: (manifest) => new Deployment(manifest),
  HorizontalPodAutoscaler: (manifest) => new HorizontalPodAutoscaler(manifest as never),
  PodDisruptionBudget: (manifest) => new PodDisruptionBudget(manifest),
  NetworkPolicy: (manifest) => new NetworkPolicy(manifest),
  ScaledObject: (manifest) => new ScaledObject(manifest as never),
  TriggerAuthentication: (manifest) => new TriggerAuthentication(manifest as never),
};
const modelOf = ({ kind }: Manifest) => {
  const model = KINDS[kind];
  if (model === undefined) throw new Error(`There is no schema for ${kind} here.`);
  return model;
};

describe.each(OVERLAYS)("the overlay %s", (name) => {
  const { manifests, images, deployments, workers, find } = readOverlay(name);

  test.each(manifests)(
    "$kind $metadata.name is what its published schema says, with no field beside",
    (manifest) => {
      expect(() => modelOf(manifest)(manifest).validate()).not.toThrow();
      expect(unknownFields(manifest, modelOf(manifest))).toEqual([]);
    },
  );

  test("runs the API, the workers that label and those that list and deliver", () => {
    expect(deployments.map((each) => each.name).toSorted()).toEqual([
      "api",
      "worker-classify",
      "worker-deliver-scan",
    ]);
    const roles = workers.flatMap(({ container }) => variable(container, "WORKER_ROLES")?.split(",") ?? []);
    expect(roles.toSorted()).toEqual(WorkerConfig.shape.WORKER_ROLES.parse(undefined).toSorted());
  });

  test("every image is one that a Dockerfile here builds, and has a tag", () => {
    for (const { container } of deployments) {
      expect(Object.keys(dockerfiles)).toContain(container.image);
      expect(images[container.image]).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test("the device is the overlay's, and a pod has one GPU or none", () => {
    const { pod, container } = find("worker-classify");
    const isGpu = name === "gpu";
    expect(variable(container, "DEVICE")).toBe(isGpu ? "cuda" : "cpu");
    expect(container.image).toBe(isGpu ? "tresline-worker-cuda" : "tresline-worker");
    expect(container.resources.limits["nvidia.com/gpu"]).toBe(isGpu ? 1 : undefined);
    expect(pod.nodeSelector !== undefined && pod.tolerations !== undefined).toBe(isGpu);
  });
});

test("a field that no schema knows is found, at any depth", () => {
  const service = { metadata: { name: "a" }, spec: { ports: [{ port: 80, prot: 1 }], selektor: {} } };
  expect(unknownFields(service, (value) => new Service(value))).toEqual([
    "spec.ports.0.prot",
    "spec.selektor",
  ]);
});
