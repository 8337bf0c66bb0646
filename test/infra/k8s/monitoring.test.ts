import { PodMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { expect, test } from "vitest";
import { K8S, OVERLAYS, readKustomized } from "./read-manifests.ts";
import { unknownFields } from "./unknown-fields.ts";
import type { Validated } from "./unknown-fields.ts";

const { manifests } = readKustomized(`${K8S}/monitoring`);
const find = (kind: string) => {
  const found = manifests.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`There is no ${kind}.`);
  return found;
};

const KINDS: Record<string, (manifest: object) => Validated> = {
  PodMonitor: (manifest) => new PodMonitor(manifest as never),
  NetworkPolicy: (manifest) => new NetworkPolicy(manifest),
};

test("the monitor and the policy are what their published schemas say, with no field beside", () => {
  for (const [kind, model] of Object.entries(KINDS)) {
    expect(() => model(find(kind)).validate()).not.toThrow();
    expect(unknownFields(find(kind), model)).toEqual([]);
  }
  expect(manifests).toHaveLength(Object.keys(KINDS).length);
});

test("every pod of every overlay is found by its labels and scraped at a port that it has", () => {
  const labels = { "app.kubernetes.io/name": "tresline" };
  expect(find("PodMonitor")["spec"]).toMatchObject({
    selector: { matchLabels: labels },
    podMetricsEndpoints: [{ port: "metrics", path: "/metrics" }],
  });
  expect(find("NetworkPolicy")["spec"]).toMatchObject({
    podSelector: { matchLabels: labels },
    ingress: [{ ports: [{ protocol: "TCP", port: "metrics" }] }],
  });
  const pods = OVERLAYS.flatMap((name) => readKustomized(`${K8S}/overlays/${name}`).manifests)
    .filter(({ kind }) => kind === "Deployment")
    .map(({ spec }) => (spec as { template: object }).template);
  expect(pods).toHaveLength(6);
  for (const pod of pods) expect(pod).toMatchObject({ metadata: { labels } });
});
