import type { Manifest } from "../manifest.ts";

const LABELS = {
  config: "from the config",
  checkpoint: "from the checkpoint",
  nowhere: "none known: classes are numbered; name a file in the config's labels",
};

/** A model in words, two columns, one fact a line. */
export function describeModel(manifest: Manifest): string {
  const { architecture, input, preprocess } = manifest;
  const [height, width] = input.size;
  const rows: [string, string][] = [
    ["name", manifest.name],
    ["digest", manifest.digest],
    ["variant", manifest.variant ?? "custom"],
    ["layers", architecture.layers.join(", ")],
    ["width factor", String(architecture.width_factor)],
    ["version", architecture.v2 ? "V2" : "V1"],
    ["head", architecture.head],
    [
      "leaky slopes",
      `${architecture.leaky_slopes.stem} (stem), ${architecture.leaky_slopes.blocks} (blocks)`,
    ],
    ["classes", `${manifest.num_classes} (${manifest.activation})`],
    ["labels", LABELS[manifest.labels_from]],
    ["parameters", manifest.parameters.toLocaleString("en")],
    ["MACs", `${manifest.macs.toLocaleString("en")} at ${height}×${width}`],
    ["input", `${input.name}, ${input.dtype}, ${height}×${width}`],
    ["precision", manifest.precision],
    ["top-k", String(manifest.top_k)],
    ["resize", `${preprocess.interpolation}, ${preprocess.crop_mode}, crop_pct ${preprocess.crop_pct}`],
    ["mean, std", `${preprocess.mean.join(" ")}, ${preprocess.std.join(" ")}`],
    ["checkpoint", manifest.source.checkpoint],
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join("");
}
