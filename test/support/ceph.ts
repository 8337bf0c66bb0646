import type { TestProject } from "vitest/node";
import { startCeph } from "./ceph-cluster.ts";
import type { Ceph } from "./ceph-cluster.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The S3 server of the "s3" project. */
    s3: { endpoint: string; accessKeyId: string; secretAccessKey: string };
  }
}

let ceph: Ceph | undefined;

/** Starts one Ceph for all tests of the project that names this file as its global setup. */
export async function setup(project: TestProject): Promise<void> {
  ceph = await startCeph();
  const { endpoint, accessKeyId, secretAccessKey } = ceph;
  project.provide("s3", { endpoint, accessKeyId, secretAccessKey });
}

/** Ends it. */
export async function teardown(): Promise<void> {
  await ceph?.stop();
}
