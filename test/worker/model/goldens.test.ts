import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../../worker/model/checkpoint/read-checkpoint.ts";
import { Weights } from "../../../worker/model/checkpoint/weights.ts";
import { servingGraph } from "../../../worker/model/serving-graph.ts";
import type { Architecture } from "../../../worker/model/tresnet/variants.ts";
import { fixture, readTensors } from "./read-tensors.ts";
import { maxDifference, openSession, run } from "./run-graph.ts";

/** Honest fp32 noise is 2e-6; the smallest known mistake of an implementation moves the logits by more than 2e-5. */
const TOLERANCE = 2e-5;

interface Golden {
  layers: [number, number, number, number];
  width_factor: number;
  v2: boolean;
  num_classes: number;
  leaky_slopes: { stem: number; blocks: number };
  params: number;
}
const MANIFEST: Record<string, Golden> = JSON.parse(readFileSync(fixture("golden/MANIFEST.json"), "utf8"));

const architectureOf = (golden: Golden): Architecture => ({
  layers: golden.layers,
  widthFactor: golden.width_factor,
  v2: golden.v2,
  numClasses: golden.num_classes,
  leakySlopes: golden.leaky_slopes,
  head: "linear",
});

const floatInput = {
  input: "float",
  size: [64, 64],
  mean: [0, 0, 0],
  std: [1, 1, 1],
  activation: "softmax",
} as const;

/** The graph's value that holds each stage output of a golden. */
const stageValues = ({ layers }: Golden): Record<string, string> => ({
  s2d: "body.s2d",
  stem: "body.conv1.act",
  ...Object.fromEntries(layers.map((blocks, s) => [`layer${s + 1}`, `body.layer${s + 1}.${blocks - 1}`])),
  features: "head.global_pool",
});

test.each(["tiny_m", "tiny_mix"])(
  "%s gives the reference's stages, features and logits at every size",
  async (name) => {
    const golden = MANIFEST[name];
    if (!golden) throw new Error(`the manifest has no ${name}`);
    const weights = new Weights(readCheckpoint(fixture(`golden/${name}.safetensors`)));
    const graph = servingGraph(architectureOf(golden), weights, floatInput);
    const stages = stageValues(golden);
    for (const value of Object.values(stages)) graph.output(value, "float32");
    const session = await openSession(graph);
    const expected = readTensors(fixture(`golden/${name}.io.safetensors`));

    const sizes = expected.names
      .filter((key) => key.endsWith(".input"))
      .map((key) => key.replace(".input", ""));
    expect(sizes.length).toBeGreaterThanOrEqual(3);
    const values = { ...stages, logits: "logits" };
    const differences: Record<string, number> = {};
    for (const size of sizes) {
      const results = await run(session, expected.get(`${size}.input`), Object.values(values));
      for (const [stage, value] of Object.entries(values))
        if (expected.names.includes(`${size}.${stage}`))
          differences[`${size}.${stage}`] = maxDifference(
            results(value),
            expected.get(`${size}.${stage}`).data,
          );
    }
    expect(Object.keys(differences).toSorted()).toEqual(
      expected.names.filter((key) => !key.endsWith(".input")).toSorted(),
    );
    expect(Object.entries(differences).filter(([, difference]) => difference > TOLERANCE)).toEqual([]);
    expect(weights.parameters).toBe(golden.params);
  },
);
