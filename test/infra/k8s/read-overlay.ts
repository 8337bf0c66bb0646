import { readFileSync } from "node:fs";
import { K8S, readKustomized } from "./read-manifests.ts";
import type { OVERLAYS } from "./read-manifests.ts";

/** What the tests look at in a pod; that the fields are where they belong is the schemas' to say. */
interface Pod {
  terminationGracePeriodSeconds: number;
  automountServiceAccountToken: boolean;
  securityContext: object;
  nodeSelector?: Record<string, string>;
  tolerations?: object[];
  containers: [Container];
  volumes: { name: string; emptyDir?: object }[];
}
interface Container {
  image: string;
  ports?: { name: string; containerPort: number }[];
  env: { name: string; value?: string; valueFrom?: { secretKeyRef: { key: string } } }[];
  startupProbe?: Probe;
  readinessProbe: Probe;
  livenessProbe: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
  resources: { requests: Record<string, string>; limits: Record<string, string | number> };
  securityContext: object;
  volumeMounts: { name: string; mountPath: string }[];
}
interface Probe {
  exec?: { command: string[] };
  httpGet?: { path: string; port: string };
}
type Labels = Record<string, string>;

/** What the tests look at in the other kinds. */
interface Specs {
  Deployment: { template: { metadata: { labels: Labels }; spec: Pod }; replicas?: number };
  Service: { selector: Labels; ports: object[] };
  HorizontalPodAutoscaler: {
    scaleTargetRef: object;
    minReplicas: number;
    maxReplicas: number;
    metrics: object[];
  };
  PodDisruptionBudget: { selector: { matchLabels: Labels }; minAvailable?: number };
  NetworkPolicy: { podSelector: object; policyTypes: string[]; ingress?: object[]; egress?: object[] };
  ScaledObject: {
    scaleTargetRef: { name: string };
    minReplicaCount: number;
    triggers: [{ type: string; metadata: Record<string, string>; authenticationRef: { name: string } }];
  };
  TriggerAuthentication: object;
}

/** The text of a file. */
export const source = (path: string) => readFileSync(path, "utf8");

/** The Dockerfile of each image, by the image's name. */
export const dockerfiles = {
  "tresline-api": source("infra/docker/Dockerfile.api"),
  "tresline-worker": source("infra/docker/Dockerfile.worker"),
  "tresline-worker-cuda": source("infra/docker/Dockerfile.worker"),
};

/** The value of a variable that stands in the manifest. */
export const variable = ({ env }: Container, of: string) => env.find((each) => each.name === of)?.value;

/** What an overlay applies to a cluster, its deployments and what finds one or all of a kind. Throws as `readKustomized` does. */
export function readOverlay(name: (typeof OVERLAYS)[number]) {
  const { manifests, images, settings } = readKustomized(`${K8S}/overlays/${name}`);
  const all = <Kind extends keyof Specs>(kind: Kind): { name: string; spec: Specs[Kind] }[] =>
    manifests
      .filter((each) => each.kind === kind)
      .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as Specs[Kind] }));
  const deployments = all("Deployment").map(({ name: of, spec }) => ({
    name: of,
    replicas: spec.replicas,
    labels: spec.template.metadata.labels,
    pod: spec.template.spec,
    container: spec.template.spec.containers[0],
  }));
  const workers = deployments.filter((each) => each.name !== "api");
  const find = (of: string) => {
    const found = deployments.find((each) => each.name === of);
    if (found === undefined) throw new Error(`There is no deployment ${of}.`);
    return found;
  };
  return { manifests, images, settings, all, deployments, workers, find };
}
