import { Pickle, torchZip } from "./write-torch.ts";

/** A state dict of one tensor whose storage and view are described by these numbers. */
export const view = ({ count = 4, offset = 0, size = [4], stride = [1], kind = "storage", key = "0" }) =>
  new Pickle()
    .op(0x7d)
    .text("body.conv1.0.weight")
    .global("torch._utils", "_rebuild_tensor_v2")
    .mark()
    .storage(kind, "FloatStorage", key, count)
    .integer(offset)
    .tuple(size)
    .tuple(stride)
    .op(0x74, 0x52, 0x73)
    .end();

/** What torch.save writes of a pickle whose tensor lies in storage 0. */
export const zipOf = (pickle: Buffer, data = new Uint8Array(16)) => torchZip(pickle, { "data/0": data });
