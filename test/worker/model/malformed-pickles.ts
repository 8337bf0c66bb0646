import type { MalformedCheckpoint } from "./malformed-checkpoint.ts";
import { view, zipOf } from "./tensor-pickle.ts";
import { Pickle, torchZip } from "./write-torch.ts";

/** A pickle that calls a Python function the way an exploit does. */
const calls = (module: string, name: string) =>
  torchZip(new Pickle().global(module, name).mark().text("touch /tmp/owned").op(0x74).op(0x52).end());

/** Files of torch whose pickle is wrong, or would run code where Python reads it. */
export const MALFORMED_PICKLES: MalformedCheckpoint[] = [
  ["calls os.system", calls("os", "system"), /names "os\.system"; a checkpoint may hold tensors/],
  ["calls posix.system", calls("posix", "system"), /names "posix\.system"/],
  ["calls eval", calls("builtins", "eval"), /names "builtins\.eval"/],
  ["calls subprocess.Popen", calls("subprocess", "Popen"), /names "subprocess\.Popen"/],
  ["imports a class of its own", calls("models.tresnet", "TResNet"), /names "models\.tresnet\.TResNet"/],
  ["reaches for __proto__", calls("__proto__", "constructor"), /names "__proto__\.constructor"/],
  [
    "hides os.system in STACK_GLOBAL",
    torchZip(new Pickle().text("os").text("system").op(0x93).end()),
    /names "os\.system"/,
  ],
  [
    "calls with INST",
    torchZip(new Pickle().mark().raw("ios\nsystem\n").end()),
    /opcode 0x69 .* has no place/,
  ],
  ["calls with NEWOBJ", torchZip(new Pickle().op(0x7d, 0x29, 0x81).end()), /opcode 0x81/],
  ["uses an extension code", torchZip(new Pickle().op(0x82, 1).end()), /opcode 0x82/],
  [
    "rebuilds a tensor from a number",
    torchZip(
      new Pickle()
        .op(0x7d)
        .text("a")
        .global("torch._utils", "_rebuild_tensor_v2")
        .tuple([1, 2])
        .op(0x52, 0x73)
        .end(),
    ),
    /tensor a has no storage/,
  ],
  ["calls a dict", torchZip(new Pickle().op(0x7d, 0x29, 0x52).end()), /calls something that is no function/],
  [
    "sets the state of a list",
    torchZip(new Pickle().op(0x5d, 0x7d, 0x62).end()),
    /sets the state of something that is no dict/,
  ],
  ["has a pickle that stops in the middle", zipOf(view({}).subarray(0, -8)), /ends in the middle/],
  ["has an empty pickle", torchZip(Buffer.alloc(0)), /ends in the middle, at byte 0/],
  ["takes from an empty stack", torchZip(new Pickle().op(0x30).end()), /takes from an empty stack/],
  ["closes a group it never opened", torchZip(new Pickle().op(0x74).end()), /closes a group it never opened/],
  [
    "recalls what it never stored",
    torchZip(new Pickle().op(0x68, 7).end()),
    /recalls object 7, which it never stored/,
  ],
  ["has text of 4 GB", torchZip(new Pickle().op(0x58, 0xff, 0xff, 0xff, 0xff).end()), /ends in the middle/],
  [
    "has text of 2^64 bytes",
    torchZip(new Pickle().op(0x8d, ...Array<number>(8).fill(0xff)).end()),
    /ends in the middle/,
  ],
  [
    "stores items in a number",
    torchZip(new Pickle().integer(1).integer(2).integer(3).op(0x73).end()),
    /stores items in something that is no dict/,
  ],
  [
    "appends to a dict",
    torchZip(new Pickle().op(0x7d).integer(1).op(0x61).end()),
    /appends to something that is no list/,
  ],
  [
    "refers to something that is no storage",
    zipOf(view({ kind: "module" })),
    /refers to something that is no storage/,
  ],
  [
    "has a storage of 2^62 elements",
    zipOf(view({ count: 2 ** 62 })),
    /refers to something that is no storage/,
  ],
  ["has a view beyond its storage", zipOf(view({ size: [5] })), /reaches beyond its storage of 4 elements/],
  ["has a view that begins beyond its storage", zipOf(view({ offset: 4 })), /reaches beyond its storage/],
  ["has a negative stride", zipOf(view({ stride: [-1] })), /makes no sense/],
  ["has a stride of nothing", zipOf(view({ size: [2 ** 30], stride: [0] })), /repeats elements/],
  [
    "has a size of 2^62",
    zipOf(view({ size: [2 ** 31, 2 ** 31], stride: [1, 1] })),
    /reaches beyond its storage/,
  ],
  ["has fewer strides than sizes", zipOf(view({ size: [2, 2] })), /makes no sense/],
  ["holds a list", torchZip(new Pickle().op(0x5d).end()), /it holds no state dict/],
  [
    "holds numbers by name",
    torchZip(new Pickle().op(0x7d).text("epoch").integer(3).op(0x73).end()),
    /entry "epoch" of the state dict is no tensor/,
  ],
  [
    "holds a model that is text",
    torchZip(new Pickle().op(0x7d).text("model").text("tresnet").op(0x73).end()),
    /its model is no state dict/,
  ],
  ["is another network's", zipOf(view({ size: [2, 2], stride: [2, 1] })), /stage layer1 has no blocks/],
  [
    "names a tensor by a nest of lists",
    torchZip(new Pickle().op(0x7d).nest(60).integer(1).op(0x73).end()),
    /an entry whose name is no text/,
  ],
  [
    "names a module by a nest of lists",
    torchZip(new Pickle().nest(60).text("x").op(0x93).end()),
    /names something by no text/,
  ],
];
