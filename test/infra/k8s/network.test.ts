import { describe, expect, test } from "vitest";
import { createApp } from "../../../api/app.ts";
import type { ApiDeps } from "../../../api/deps.ts";
import { OVERLAYS } from "./read-manifests.ts";
import { dockerfiles, readOverlay, variable } from "./read-overlay.ts";

describe.each(OVERLAYS)("the overlay %s", (name) => {
  const { all, deployments, workers, find } = readOverlay(name);

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
});
