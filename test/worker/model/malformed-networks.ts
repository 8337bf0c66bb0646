import { edited, entry, repacked } from "./edit-safetensors.ts";
import type { MalformedCheckpoint } from "./malformed-checkpoint.ts";

const floatInData = (value: number) =>
  edited((header, data) => data.writeFloatLE(value, Number(header["head.fc.weight"]?.data_offsets[0]) + 8));

/** The sound body under an ML-Decoder head whose queries are so wide. */
function withDecoderOf(width: number): Buffer {
  const names: Record<string, string> = {
    "head.fc.weight": "head.decoder.query_embed.weight",
    "head.fc.bias": "head.decoder.duplicate_pooling_bias",
  };
  return repacked(
    (name) => names[name] ?? name,
    (name, shape) => (name === "head.fc.weight" ? [2560 / width, width] : shape),
  );
}

/** Sound files whose tensors make up no network. */
export const MALFORMED_NETWORKS: MalformedCheckpoint[] = [
  ["has a weight that is not a number", floatInData(NaN), /head\.fc\.weight has the value NaN at element 2/],
  ["has a weight that is infinite", floatInData(-Infinity), /head\.fc\.weight has the value -Infinity/],
  ["has integers for weights", entry({ dtype: "I32" }), /head\.fc\.bias has the type I32/],
  [
    "lacks a norm's bias",
    repacked((n) => (n === "body.layer2.0.conv1.bn.bias" ? undefined : n)),
    /body\.layer2\.0\.conv1\.bn\.bias is missing/,
  ],
  ["lacks its head", repacked((n) => (n.startsWith("head.") ? undefined : n)), /it has no head/],
  [
    "lacks its stem",
    repacked((n) => (n === "body.conv1.conv.weight" ? undefined : n)),
    /not a TResNet checkpoint/,
  ],
  [
    "has a stage without blocks",
    repacked((n) => (n.startsWith("body.layer3") ? undefined : n)),
    /stage layer3 has no blocks/,
  ],
  [
    "skips a block number",
    repacked((n) => n.replace("layer4.0.", "layer4.1.")),
    /stage layer4 has no blocks/,
  ],
  [
    "has a tensor with no place",
    repacked((n) => (n === "head.fc.bias" ? "head.fc.bias2" : n)),
    /head\.fc\.bias is missing/,
  ],
  [
    "has one tensor too many",
    repacked((n) => (n.endsWith("conv1.bn.num_batches_tracked") ? `${n}2` : n)),
    /have no place in the network/,
  ],
  [
    "has a stem of one dimension",
    repacked(
      (n) => n,
      (n, s) => (n === "body.conv1.conv.weight" ? [3456] : s),
    ),
    /has the shape \[3456\]/,
  ],
  [
    "has a stem without planes",
    entry({ shape: [0, 48, 3, 3] }, "body.conv1.conv.weight"),
    /needs 0 bytes but has/,
  ],
  [
    "has kernels of another size",
    repacked(
      (n) => n,
      (n, s) => (n === "body.layer1.0.conv2.conv.weight" ? [8, 72, 1, 1] : s),
    ),
    /\[8, 72, 1, 1\], \[8, 8, 3, 3\] expected/,
  ],
  [
    "has an SE of another width",
    repacked(
      (n) => n,
      (n, s) => (n === "body.layer1.0.se.fc1.weight" ? [8, 64, 1, 1] : s),
    ),
    /se\.fc1\.weight has the shape/,
  ],
  [
    "has a transposed classifier",
    repacked(
      (n) => n,
      (n, s) => (n === "head.fc.weight" ? s.toReversed() : s),
    ),
    /head\.fc\.weight|head\.fc\.bias/,
  ],
  ["has a decoder that eight heads cannot share", withDecoderOf(20), /query_embed\.weight is 20 wide/],
];
