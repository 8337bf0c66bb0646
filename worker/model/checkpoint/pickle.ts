import { ModelError } from "../model-error.ts";

/** What a pickle may name and load; everything else in it is data. */
export interface PickleWorld {
  /** The file, for messages. */
  readonly path: string;
  /** The Python globals a pickle may name, by `module.name`; those that are functions it may also call. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** Gives the object of a persistent id. */
  readonly persistentLoad: (id: unknown) => unknown;
}

/** A Python function stood in for by one of ours. */
export type PickleFunction = (args: readonly unknown[]) => unknown;

/**
 * Reads one Python pickle (protocols 2 to 5) that begins at byte `start`. Dicts become Maps, lists and tuples arrays, large integers bigints.
 * Nothing is executed: a global that the world does not have, a call of something that is no function of the world, and every opcode that could
 * build another object end in a ModelError. Gives the value and the byte after the pickle.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  world: PickleWorld,
): { value: unknown; end: number } {
  const machine = new Machine(bytes, start, world);
  for (;;) {
    const at = machine.position;
    const opcode = machine.byte();
    if (opcode === STOP) return { value: machine.pop(), end: machine.position };
    const operate = OPCODES[opcode];
    if (!operate)
      throw machine.fault(`opcode 0x${opcode.toString(16)} at byte ${at} has no place in a checkpoint`);
    operate(machine);
  }
}

/** The pickle machine: a stack with marks, a memo, and the bytes that are left. */
class Machine {
  position: number;
  readonly world: PickleWorld;
  readonly memo = new Map<number, unknown>();
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];

  constructor(bytes: Uint8Array, start: number, world: PickleWorld) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = start;
    this.world = world;
  }

  fault(what: string): ModelError {
    return new ModelError(`${this.world.path}: not a sound checkpoint: ${what}.`);
  }

  /** Steps over `size` bytes and gives where they begin. */
  advance(size: number): number {
    const at = this.position;
    if (size < 0 || at + size > this.#bytes.length)
      throw this.fault(`its pickle ends in the middle, at byte ${this.#bytes.length}`);
    this.position += size;
    return at;
  }

  byte = (): number => this.#view.getUint8(this.advance(1));
  uint16 = (): number => this.#view.getUint16(this.advance(2), true);
  int32 = (): number => this.#view.getInt32(this.advance(4), true);
  uint32 = (): number => this.#view.getUint32(this.advance(4), true);
  uint64 = (): number => Number(this.#view.getBigUint64(this.advance(8), true));
  float64 = (): number => this.#view.getFloat64(this.advance(8), false);

  text(size: number): string {
    const at = this.advance(size);
    return Buffer.from(this.#bytes.subarray(at, at + size)).toString("utf8");
  }

  /** A two's complement little-endian integer; one beyond 2^53 stays a bigint. */
  integer(size: number): number | bigint {
    const at = this.advance(size);
    const hex = Buffer.from(this.#bytes.subarray(at, at + size).toReversed()).toString("hex");
    const value = size === 0 ? 0n : BigInt.asIntN(8 * size, BigInt(`0x${hex}`));
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    const text = this.text(end < 0 ? this.#bytes.length : end - this.position);
    this.advance(1);
    return text;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw this.fault("its pickle takes from an empty stack");
    return this.#stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Everything above the last mark. */
  popToMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined || mark > this.#stack.length)
      throw this.fault("its pickle closes a group it never opened");
    return this.#stack.splice(mark);
  }

  popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).toReversed();
  }

  recall(index: number): void {
    if (!this.memo.has(index)) throw this.fault(`its pickle recalls object ${index}, which it never stored`);
    this.push(this.memo.get(index));
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.world.globals.has(full))
      throw this.fault(
        `its pickle names ${JSON.stringify(full)}; a checkpoint may hold tensors, numbers and text and nothing else`,
      );
    this.push(this.world.globals.get(full));
  }

  stackGlobal(): void {
    const [module, name] = this.popMany(2);
    if (typeof module !== "string" || typeof name !== "string")
      throw this.fault("its pickle names something by no text");
    this.global(module, name);
  }

  reduce(): void {
    const [callee, args] = this.popMany(2);
    if (typeof callee !== "function" || !Array.isArray(args))
      throw this.fault("its pickle calls something that is no function");
    this.push(callee(args));
  }

  setItems(pairs: readonly unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map) || pairs.length % 2 !== 0)
      throw this.fault("its pickle stores items in something that is no dict");
    for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fault("its pickle appends to something that is no list");
    for (const item of items) list.push(item);
  }

  /** The attributes of an OrderedDict (torch leaves `_metadata` there) are not needed; nothing else may have any. */
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map))
      throw this.fault("its pickle sets the state of something that is no dict");
  }
}

const STOP = 0x2e;

/** The opcodes of Python's pickletools that plain data needs, by their byte. */
const OPCODES: Readonly<Record<number, (m: Machine) => void>> = {
  0x80: (m) => void m.byte(), // PROTO
  0x95: (m) => void m.advance(8), // FRAME
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x4e: (m) => m.push(null), // NONE
  0x88: (m) => m.push(true), // NEWTRUE
  0x89: (m) => m.push(false), // NEWFALSE
  0x4b: (m) => m.push(m.byte()), // BININT1
  0x4d: (m) => m.push(m.uint16()), // BININT2
  0x4a: (m) => m.push(m.int32()), // BININT
  0x8a: (m) => m.push(m.integer(m.byte())), // LONG1
  0x47: (m) => m.push(m.float64()), // BINFLOAT
  0x58: (m) => m.push(m.text(m.uint32())), // BINUNICODE
  0x8c: (m) => m.push(m.text(m.byte())), // SHORT_BINUNICODE
  0x8d: (m) => m.push(m.text(m.uint64())), // BINUNICODE8
  0x55: (m) => m.push(m.text(m.byte())), // SHORT_BINSTRING
  0x54: (m) => m.push(m.text(m.uint32())), // BINSTRING
  0x7d: (m) => m.push(new Map()), // EMPTY_DICT
  0x5d: (m) => m.push([]), // EMPTY_LIST
  0x29: (m) => m.push([]), // EMPTY_TUPLE
  0x74: (m) => m.push(m.popToMark()), // TUPLE
  0x85: (m) => m.push(m.popMany(1)), // TUPLE1
  0x86: (m) => m.push(m.popMany(2)), // TUPLE2
  0x87: (m) => m.push(m.popMany(3)), // TUPLE3
  0x61: (m) => m.append(m.popMany(1)), // APPEND
  0x65: (m) => m.append(m.popToMark()), // APPENDS
  0x73: (m) => m.setItems(m.popMany(2)), // SETITEM
  0x75: (m) => m.setItems(m.popToMark()), // SETITEMS
  0x71: (m) => void m.memo.set(m.byte(), m.top()), // BINPUT
  0x72: (m) => void m.memo.set(m.uint32(), m.top()), // LONG_BINPUT
  0x94: (m) => void m.memo.set(m.memo.size, m.top()), // MEMOIZE
  0x68: (m) => m.recall(m.byte()), // BINGET
  0x6a: (m) => m.recall(m.uint32()), // LONG_BINGET
  0x63: (m) => m.global(m.line(), m.line()), // GLOBAL
  0x93: (m) => m.stackGlobal(), // STACK_GLOBAL
  0x51: (m) => m.push(m.world.persistentLoad(m.pop())), // BINPERSID
  0x52: (m) => m.reduce(), // REDUCE
  0x62: (m) => m.build(), // BUILD
};
