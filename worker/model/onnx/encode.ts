import protobuf from "protobufjs/light.js";
import { ELEMENT } from "./graph.ts";
import type { Attribute, Graph, GraphNode, GraphValue, Initializer } from "./graph.ts";

/** The opset the graphs are written for: the newest whose every operator used here is native to ONNX Runtime's CUDA provider. */
const OPSET = 17;
const IR_VERSION = 8;

const repeated = (id: number, type: string) => ({ id, type, rule: "repeated" });
const field = (id: number, type: string) => ({ id, type });

/** The messages of onnx.proto that a graph needs, with the numbers they have there. */
const MESSAGES = {
  Model: {
    fields: { irVersion: field(1, "int64"), producer: field(2, "string"), opset: repeated(8, "Opset") },
  },
  Opset: { fields: { domain: field(1, "string"), version: field(2, "int64") } },
  Graph: {
    fields: {
      node: repeated(1, "Node"),
      name: field(2, "string"),
      input: repeated(11, "Value"),
      output: repeated(12, "Value"),
    },
  },
  Node: {
    fields: {
      input: repeated(1, "string"),
      output: repeated(2, "string"),
      name: field(3, "string"),
      opType: field(4, "string"),
      attribute: repeated(5, "Attribute"),
    },
  },
  Attribute: {
    fields: {
      name: field(1, "string"),
      f: field(2, "float"),
      i: field(3, "int64"),
      s: field(4, "bytes"),
      ints: repeated(8, "int64"),
      type: field(20, "int32"),
    },
  },
  Tensor: { fields: { dims: repeated(1, "int64"), dataType: field(2, "int32"), name: field(8, "string") } },
  Value: { fields: { name: field(1, "string"), type: field(2, "Type") } },
  Type: { fields: { tensor: field(1, "TensorType") } },
  TensorType: { fields: { elemType: field(1, "int32"), shape: field(2, "Shape") } },
  Shape: { fields: { dim: repeated(1, "Dimension") } },
  Dimension: { fields: { value: field(1, "int64"), param: field(2, "string") } },
};
const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;

/**
 * An ONNX ModelProto as a sequence of chunks to be written one after the other; the same graph gives the same bytes.
 * A constant's data is read only when its chunk is asked for.
 */
export function* encodeModel(graph: Graph): Generator<Uint8Array> {
  const root = protobuf.Root.fromJSON({ nested: MESSAGES });
  const encode = (type: string, message: object) => root.lookupType(type).encode(message).finish();

  const structure = encode("Graph", {
    name: "tresnet",
    node: graph.nodes.map(nodeMessage),
    input: graph.inputs.map(valueMessage),
    output: graph.outputs.map(valueMessage),
  });
  const tensors = [...graph.initializers.values()].map((tensor) => {
    const dataSize = byteSize(tensor);
    const described = encode("Tensor", {
      dims: tensor.dims,
      dataType: ELEMENT[tensor.type],
      name: tensor.name,
    });
    const head = Buffer.concat([described, lengthPrefix(TENSOR_RAW_DATA, dataSize)]);
    return {
      ...tensor,
      dataSize,
      head: Buffer.concat([lengthPrefix(GRAPH_INITIALIZER, head.length + dataSize), head]),
    };
  });
  const graphSize = tensors.reduce((sum, t) => sum + t.head.length + t.dataSize, structure.length);

  const opset = [{ domain: "", version: OPSET }];
  yield encode("Model", { irVersion: IR_VERSION, producer: "tresline", opset });
  yield lengthPrefix(MODEL_GRAPH, graphSize);
  yield structure;
  for (const { name, head, dataSize, read } of tensors) {
    yield head;
    const data = read();
    if (data.byteLength !== dataSize)
      throw new Error(
        `The constant ${name} has ${data.byteLength} bytes instead of ${dataSize}. This is a bug.`,
      );
    yield data;
  }
}

const BYTES = { float32: 4, uint8: 1, int64: 8, float16: 2 };
const byteSize = ({ type, dims }: Initializer) => dims.reduce((product, n) => product * n, BYTES[type]);

/** The tag of a length-delimited field and the length that follows it. */
function lengthPrefix(fieldNumber: number, length: number): Uint8Array {
  return protobuf.Writer.create()
    .uint32((fieldNumber << 3) | 2)
    .uint32(length)
    .finish();
}

function nodeMessage(node: GraphNode): object {
  const attribute = Object.entries(node.attributes).map(([name, value]) => ({
    name,
    ...attributeMessage(value),
  }));
  return { input: node.inputs, output: node.outputs, name: node.name, opType: node.opType, attribute };
}

/** The value with its AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, INTS 7. */
function attributeMessage(value: Attribute): object {
  if (typeof value === "number") return { i: value, type: 2 };
  if (typeof value === "string") return { s: Buffer.from(value), type: 3 };
  if ("float" in value) return { f: value.float, type: 1 };
  return { ints: value, type: 7 };
}

function valueMessage({ name, type, dims }: GraphValue): object {
  const shape = dims && { dim: dims.map((d) => (typeof d === "number" ? { value: d } : { param: d })) };
  return { name, type: { tensor: { elemType: ELEMENT[type], ...(shape && { shape }) } } };
}
