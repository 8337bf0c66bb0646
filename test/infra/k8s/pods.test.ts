import { describe, expect, test } from "vitest";
import { WorkerConfig } from "../../../worker/config.ts";
import { OVERLAYS } from "./read-manifests.ts";
import { dockerfiles, readOverlay, source, variable } from "./read-overlay.ts";

/** A number of milliseconds that an entry keeps to itself. */
const milliseconds = (path: string, name: string) =>
  Number(new RegExp(`const ${name} = ([\\d_]+);`).exec(source(path))?.[1]?.replaceAll("_", ""));

describe.each(OVERLAYS)("the overlay %s", (name) => {
  const { deployments, workers, find } = readOverlay(name);

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
});
