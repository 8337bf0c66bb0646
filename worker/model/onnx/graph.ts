/** ONNX element types by their number in TensorProto.DataType. */
export const ELEMENT = { float32: 1, uint8: 2, int64: 7, float16: 10 } as const;
/** The name of an element type. */
export type ElementType = keyof typeof ELEMENT;

/** An attribute of a node: an integer, integers, text, or a float, which JavaScript cannot tell from an integer by itself. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

/** One operator call. Its single output has the node's name unless `outputs` says otherwise. */
export interface GraphNode {
  readonly name: string;
  readonly opType: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant tensor, row-major; `read` makes its little-endian bytes when the file is written, so that one tensor is in memory at a time. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly read: () => Uint8Array;
}

/** An input or output of the graph; a dimension that is text is symbolic. */
export interface GraphValue {
  readonly name: string;
  readonly type: ElementType;
  readonly dims?: readonly (number | string)[];
}

/** An ONNX graph being put together: nodes in the order they are added, which must be a topological one. */
export class Graph {
  readonly inputs: GraphValue[] = [];
  readonly outputs: GraphValue[] = [];
  readonly nodes: GraphNode[] = [];
  readonly initializers = new Map<string, Initializer>();

  /** Declares an input and returns its name. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): string {
    this.inputs.push({ name, type, dims });
    return name;
  }

  /** Makes the value of this name an output; without `dims` its shape is left to the runtime. */
  output(name: string, type: ElementType, dims?: readonly (number | string)[]): void {
    this.outputs.push(dims ? { name, type, dims } : { name, type });
  }

  /** Adds a node whose single output carries the node's name; returns that name. */
  node(opType: string, name: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    this.nodes.push({ name, opType, inputs, outputs: [name], attributes });
    return name;
  }

  /** Adds a constant and returns its name; a second constant of the same name is the same one. */
  constant(name: string, type: ElementType, dims: readonly number[], read: () => Uint8Array): string {
    if (!this.initializers.has(name)) this.initializers.set(name, { name, type, dims, read });
    return name;
  }

  /** Adds a constant vector of int64 numbers and returns its name. */
  int64(name: string, values: readonly number[]): string {
    const read = () => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.constant(name, "int64", [values.length], read);
  }
}
