import { describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import type { ApiDeps } from "../../../api/deps.ts";
import { OVERLAYS } from "./read-manifests.ts";
import { readOverlay, variable } from "./read-overlay.ts";

describe.each(OVERLAYS)("the overlay %s", (name) => {
  const { all, deployments, find, settings } = readOverlay(name);

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
});
