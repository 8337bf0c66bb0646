import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closing-line.ts";

export default defineConfig({
  test: {
    env: { ORT_DISABLE_TELEMETRY: "1" },
    reporters: ["default", new ClosingLine()],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.s3.test.ts", "test/e2e/**"],
        },
      },
      {
        extends: true,
        test: { name: "s3", include: ["test/**/*.s3.test.ts"], globalSetup: ["test/support/ceph.ts"] },
      },
      {
        extends: true,
        // Each of these starts whole processes, so one file runs at a time, after the others.
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ["test/**/*.s3.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
