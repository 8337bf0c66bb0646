import { expect, test } from "vitest";
import { planNetwork } from "../../../worker/model/tresnet/plan.ts";
import { VARIANTS } from "../../../worker/model/tresnet/variants.ts";
import type { VariantName } from "../../../worker/model/tresnet/variants.ts";

const plan = (variant: VariantName, numClasses: number, side: number) =>
  planNetwork(
    { ...VARIANTS[variant], numClasses, leakySlopes: { stem: 1e-2, blocks: 1e-3 }, head: "linear" },
    [side, side],
  );

// The table of the published networks: learned parameters, and GMACs at 224, 368, 384, 448 and 640.
test.each<[VariantName, number, number[]]>([
  ["tresnet_m", 31_389_032, [5.737, 15.62, 16.85, 22.94, 46.81]],
  ["tresnet_l", 55_989_256, [10.878, 29.55, 31.96, 43.5, 88.77]],
  ["tresnet_xl", 78_436_244, [15.167, 41.17, 44.56, 60.65, 123.77]],
  ["tresnet_v2_l", 46_174_824, [8.814, 23.92, 25.89, 35.24, 71.92]],
  ["ml_decoder_xl", 69_300_712, [12.527, 34.05, 36.81, 50.09, 102.23]],
])(
  "%s has the parameters and multiply-accumulates that are published for it",
  (variant, parameters, gigamacs) => {
    expect(plan(variant, 1000, 224).parameters).toBe(parameters);
    const counted = [224, 368, 384, 448, 640].map((side) => plan(variant, 1000, side).macs / 1e9);
    // Within one unit of the last digit that is published.
    const isClose = counted.map(
      (value, i) => Math.abs(value - Number(gigamacs[i])) < (i === 0 ? 1e-3 : 1e-2),
    );
    expect(isClose).toEqual([true, true, true, true, true]);
  },
);

test.each<[VariantName, number]>([
  ["tresnet_m", 52_331_861],
  ["tresnet_v2_l", 67_117_653],
])("%s with the 11221 classes of ImageNet-21K-P has the published parameters", (variant, parameters) => {
  expect(plan(variant, 11_221, 224).parameters).toBe(parameters);
});

// A plan has no batch counters; a state dict has one for each norm.
test.each<[VariantName, number]>([
  ["tresnet_m", 434],
  ["tresnet_l", 620],
  ["tresnet_xl", 752],
  ["tresnet_v2_l", 746],
  ["ml_decoder_xl", 1112],
])("a state dict of %s has the published number of entries", (variant, entries) => {
  const names = [...plan(variant, 1000, 224).tensors.keys()];
  const norms = names.filter((name) => name.endsWith(".running_var")).length;
  expect(names.length + norms).toBe(entries);
});
