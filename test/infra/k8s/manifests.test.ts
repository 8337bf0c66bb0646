import { readFileSync } from "node:fs";
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { Deployment } from "kubernetes-models/apps/v1";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import { Namespace, Service } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import { ApiConfig } from "../../../api/config.ts";
import type { ApiDeps } from "../../../api/deps.ts";
import { WorkerConfig } from "../../../worker/config.ts";
import { K8S, OVERLAYS, readKustomized } from "./read-manifests.ts";
import type { Manifest } from "./read-manifests.ts";
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

const source = (path: string) => readFileSync(path, "utf8");
/** A number of milliseconds that an entry keeps to itself. */
const milliseconds = (path: string, name: string) =>
  Number(new RegExp(`const ${name} = ([\\d_]+);`).exec(source(path))?.[1]?.replaceAll("_", ""));

const dockerfiles = {
  "tresline-api": source("infra/docker/Dockerfile.api"),
  "tresline-worker": source("infra/docker/Dockerfile.worker"),
  "tresline-worker-cuda": source("infra/docker/Dockerfile.worker"),
};

/** The value of a variable that stands in the manifest. */
const variable = ({ env }: Container, of: string) => env.find((each) => each.name === of)?.value;

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

describe.each(OVERLAYS)("the overlay %s", (name) => {
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

  test("every variable is one that the process reads, and what they are together makes sense to it", () => {
    for (const { name: of, container } of deployments) {
      const config = of === "api" ? ApiConfig : WorkerConfig;
      const given = Object.fromEntries([
        ...Object.entries(settings),
        ...container.env.map(({ name: key, value }) => [key, value ?? SECRETS[key]] as const),
      ]);
      const known = [...Object.keys(config.shape), ...OF_OTHERS];
      expect(Object.keys(given).filter((key) => !known.includes(key) && !(key in settings))).toEqual([]);
      const own = Object.entries(given).filter(([key, value]) => key in config.shape && value !== "");
      expect(config.safeParse(Object.fromEntries(own)).error, of).toBeUndefined();
    }
    const read = [...Object.keys(ApiConfig.shape), ...Object.keys(WorkerConfig.shape), ...OF_OTHERS];
    expect(Object.keys(settings).filter((key) => !read.includes(key))).toEqual([]);
  });

  test("no secret stands in a manifest, and the workers do not have the API's key", () => {
    for (const { name: of, container } of deployments) {
      const secrets = container.env.filter((each) => each.valueFrom !== undefined);
      expect(secrets.map((each) => each.name).filter((key) => !(key in SECRETS))).toEqual([]);
      for (const each of secrets) expect(each.valueFrom?.secretKeyRef.key).toBe(each.name);
      expect(secrets.some((each) => each.name === "API_KEY")).toBe(of === "api");
      expect(variable(container, "API_KEY")).toBeUndefined();
    }
  });

  test("the API's port is the same wherever it stands, and its probes ask for what it serves", async () => {
    const { container } = find("api");
    const port = Number(variable(container, "PORT"));
    expect(container.ports).toContainEqual({ name: "http", containerPort: port });
    expect(dockerfiles["tresline-api"]).toContain(`EXPOSE ${port}\n`);
    expect(variable(container, "HOST")).toBe("0.0.0.0");
    const [service] = all("Service");
    expect(service).toEqual({
      name: "api",
      spec: { selector: find("api").labels, ports: [{ name: "http", port, targetPort: "http" }] },
    });
    const served = createApp({ config: { MAX_BODY_BYTES: 1 } } as ApiDeps).routes.map(({ path }) => path);
    for (const { httpGet } of [container.readinessProbe, container.livenessProbe]) {
      expect(httpGet?.port).toBe("http");
      expect(served).toContain(httpGet?.path);
    }
    expect(container.readinessProbe.httpGet?.path).toBe("/readyz");
  });

  test("everyone serves metrics at a port of its own, which no service leads to", () => {
    for (const { name: of, container } of deployments) {
      const port = Number(variable(container, "METRICS_PORT"));
      expect(container.ports, of).toContainEqual({ name: "metrics", containerPort: port });
      expect(variable(container, "METRICS_HOST"), of).toBe("0.0.0.0");
    }
    expect(JSON.stringify(all("Service"))).not.toContain("metrics");
  });

  test("a worker is ready by the file that it writes, looked at where it can write it", () => {
    for (const { container } of workers) {
      const file = variable(container, "READY_FILE") ?? "";
      expect(container.volumeMounts.some(({ mountPath }) => file.startsWith(`${mountPath}/`))).toBe(true);
      const command = ["sh", "-c", 'find "$READY_FILE" -newermt "-30 seconds" | grep -q .'];
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe])
        expect(probe?.exec).toEqual({ command });
      expect(dockerfiles["tresline-worker"]).toContain(command[2]);
    }
  });

  test("everyone has longer to stop than it takes", () => {
    const drainS = WorkerConfig.shape.DRAIN_SECONDS.parse(undefined);
    for (const { pod, container } of workers) {
      expect(variable(container, "DRAIN_SECONDS")).toBeUndefined();
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainS + 5);
    }
    const { pod, container } = find("api");
    const pauseMs = (container.lifecycle?.preStop.sleep.seconds ?? NaN) * 1_000;
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(
      pauseMs + milliseconds("api/listen.ts", "DRAIN_MS") + 5_000,
    );
  });

  test("no pod is root, can become it, writes to its image or speaks to the cluster", () => {
    const [user] = /(?<=^USER )\d+/m.exec(dockerfiles["tresline-worker"]) ?? [];
    for (const { pod, container } of deployments) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: Number(user),
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(container.securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
      });
      expect(pod.volumes.every(({ emptyDir }) => emptyDir !== undefined)).toBe(true);
      expect(container.volumeMounts.map((each) => each.name)).toEqual(pod.volumes.map((each) => each.name));
    }
  });

  test("a worker writes models where its image has room for them", () => {
    const mounts = workers.map(({ container }) => container.volumeMounts.map(({ mountPath }) => mountPath));
    const [directory] = /(?<=^WORKDIR ).*/m.exec(dockerfiles["tresline-worker"]) ?? [];
    const models = WorkerConfig.shape.MODELS_DIR.parse(undefined).replace("./", `${directory}/`);
    for (const each of mounts) expect(each.some((mount) => models.startsWith(`${mount}/`))).toBe(true);
  });

  test("each deployment has a disruption budget of its own that lets nodes be drained", () => {
    const budgets = all("PodDisruptionBudget");
    expect(budgets.map(({ spec }) => spec.selector.matchLabels)).toHaveLength(deployments.length);
    for (const { name: of, labels, replicas } of deployments) {
      const budget = budgets.find((each) => each.name === of);
      const scaled = all("HorizontalPodAutoscaler").find((each) => each.name === of);
      expect(budget?.spec.selector.matchLabels).toEqual(labels);
      expect(budget?.spec.minAvailable ?? 0).toBeLessThan(scaled?.spec.minReplicas ?? replicas ?? 1);
    }
  });

  test("the API is scaled by how busy its one thread is, and nothing else says how many there are", () => {
    const [scaled] = all("HorizontalPodAutoscaler");
    expect(scaled?.spec).toMatchObject({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageValue: "700m" } } }],
    });
    expect(find("api").replicas).toBeUndefined();
  });

  test("nothing comes in but to the API, and only workers reach the internet, and no private address there", () => {
    const policies = all("NetworkPolicy");
    const byDefault = policies.find(({ spec }) => !spec.ingress && !spec.egress);
    expect(byDefault?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    expect(policies.filter(({ spec }) => spec.ingress).map(({ spec }) => spec.podSelector)).toEqual([
      { matchLabels: { "app.kubernetes.io/component": "api" } },
    ]);
    const internet = policies.find(({ spec }) => JSON.stringify(spec.egress ?? []).includes("0.0.0.0/0"));
    expect(internet?.spec.podSelector).toEqual({
      matchExpressions: [
        {
          key: "app.kubernetes.io/component",
          operator: "In",
          values: workers.map((each) => each.name).toSorted(),
        },
      ],
    });
    for (const network of ["10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16", "fc00::/7"])
      expect(JSON.stringify(internet?.spec.egress)).toContain(`"${network}"`);
  });

  test("KEDA asks the API for this deployment's model, by an address, a query and a place that are there", () => {
    const [scaled] = all("ScaledObject");
    const trigger = scaled?.spec.triggers[0];
    expect(scaled?.spec).toMatchObject({ scaleTargetRef: { name: "worker-classify" }, minReplicaCount: 0 });
    expect(find("worker-classify").replicas).toBeUndefined();
    const url = new URL(trigger?.metadata["url"] ?? "");
    expect(url.origin).toBe(`http://api.tresline.svc:${variable(find("api").container, "PORT")}`);
    expect(url.searchParams.get("model")).toBe(settings["MODEL"]);
    const app = createApp({ config: { MAX_BODY_BYTES: 1 } } as ApiDeps);
    const route = app.openAPIRegistry.definitions.find(
      (each) => each.type === "route" && each.route.path === url.pathname,
    );
    if (route?.type !== "route") throw new Error(`${url.pathname} is not served.`);
    const { query } = route.route.request ?? {};
    const asked = (query as { safeParse: (value: object) => object }).safeParse(
      Object.fromEntries(url.searchParams),
    );
    expect(asked).toMatchObject({ success: true });
    expect(trigger).toMatchObject({
      type: "metrics-api",
      metadata: { valueLocation: "models.0.wanted", targetValue: "1", authMode: "bearer" },
    });
    const [authentication] = all("TriggerAuthentication");
    expect(trigger?.authenticationRef.name).toBe(authentication?.name);
    expect(authentication?.spec).toEqual({
      secretTargetRef: [{ parameter: "token", name: "tresline", key: "SCALER_KEY" }],
    });
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

/** What the secret holds, as the processes would take it. */
const SECRETS: Record<string, string> = {
  REDIS_URL: "redis://redis:6379",
  API_KEY: "a-key-of-at-least-16",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};
/** What libraries read from the environment by themselves. */
const OF_OTHERS = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_REGION",
  "AWS_ENDPOINT_URL_S3",
  "UV_THREADPOOL_SIZE",
];

test("a field that no schema knows is found, at any depth", () => {
  const service = { metadata: { name: "a" }, spec: { ports: [{ port: 80, prot: 1 }], selektor: {} } };
  expect(unknownFields(service, (value) => new Service(value))).toEqual([
    "spec.ports.0.prot",
    "spec.selektor",
  ]);
});

test("the secret that docs/kubernetes.md makes has every key that is asked for", () => {
  const doc = source("docs/kubernetes.md");
  for (const key of [...Object.keys(SECRETS), "SCALER_KEY"]) expect(doc).toContain(`--from-literal=${key}=`);
});
