import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: { name: "fast", include: ["test/**/*.test.ts"], exclude: ["test/**/*.s3.test.ts", "test/e2e/**"] },
      },
      {
        extends: true,
        test: { name: "s3", include: ["test/**/*.s3.test.ts"], globalSetup: ["test/support/ceph.ts"] },
      },
      {
        extends: true,
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 120_000, fileParallelism: false },
      },
    ],
  },
});
