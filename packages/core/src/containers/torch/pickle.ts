import { InputError } from "../../errors.ts";
import { quote } from "../json.ts";

/** What a pickle of tensors can hold. Nothing of it is a Python object: a call is only written down. */
export type Pickled =
  | string
  | number
  | boolean
  | null
  | { readonly kind: "global"; readonly name: string }
  | { readonly kind: "tuple"; readonly items: readonly Pickled[] }
  | { readonly kind: "list"; readonly items: Pickled[] }
  | { readonly kind: "dict"; readonly entries: Map<Pickled, Pickled> }
  | { readonly kind: "call"; readonly callee: string; readonly args: readonly Pickled[] }
  | { readonly kind: "persistent"; readonly id: Pickled };

/** An ordered dict is built by calling it, and then filled. */
const orderedDict = "collections.OrderedDict";

interface Machine {
  readonly view: DataView;
  readonly place: string;
  readonly globals: (name: string) => boolean;
  readonly stack: Pickled[];
  /** heights of the stack at the marks that are open */
  readonly marks: number[];
  readonly memo: Map<number, Pickled>;
  /** how many more dicts, lists, tuples and calls there may be */
  left: number;
  at: number;
}

/**
 * Reads a pickle of protocol 2 without running it: only the instructions that torch's tensor records need are known, and
 * a global is no more than its name, which `globals` must allow. Every value is shared, never copied, and dicts, lists,
 * tuples and calls are counted, so that a pickle needs memory in proportion to its own length.
 *
 * @throws InputError at the first instruction or name that is not allowed, and where the bytes are no pickle
 * Source: Lib/pickletools.py of CPython
 */
export function readPickle(bytes: Uint8Array, place: string, globals: (name: string) => boolean): Pickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine: Machine = {
    view,
    place,
    globals,
    stack: [],
    marks: [],
    memo: new Map(),
    left: mostGroups(bytes),
    at: 0,
  };
  for (;;) {
    const at = machine.at;
    const code = unsigned(machine, 1);
    if (code === 0x2e) return pop(machine);
    const instruction = instructions.get(code);
    if (!instruction) fail(machine, `instruction 0x${code.toString(16)} at byte ${at} is no part of a tensor record`);
    instruction(machine);
  }
}

/** A tensor's record has one in ten bytes or more. */
const mostGroups = ({ length }: Uint8Array): number => 1000 + length / 8;

/** Puts a value that holds others on the stack. */
function pushGroup(machine: Machine, value: Pickled): void {
  if (--machine.left < 0) fail(machine, "holds more lists and tuples than tensor records need");
  machine.stack.push(value);
}

/** By opcode; STOP alone is the loop's. */
const instructions: ReadonlyMap<number, (machine: Machine) => void> = new Map([
  [0x80, (m) => void unsigned(m, 1)], // PROTO
  [0x28, (m) => void m.marks.push(m.stack.length)], // MARK
  [0x30, (m) => void pop(m)], // POP
  [0x4e, (m) => void m.stack.push(null)], // NONE
  [0x88, (m) => void m.stack.push(true)], // NEWTRUE
  [0x89, (m) => void m.stack.push(false)], // NEWFALSE
  [0x4b, (m) => void m.stack.push(unsigned(m, 1))], // BININT1
  [0x4d, (m) => void m.stack.push(unsigned(m, 2))], // BININT2
  [0x4a, (m) => void m.stack.push(m.view.getInt32(skip(m, 4), true))], // BININT
  [0x8a, (m) => void m.stack.push(long(m))], // LONG1
  [0x47, (m) => void m.stack.push(m.view.getFloat64(skip(m, 8)))], // BINFLOAT
  [0x58, (m) => void m.stack.push(text(m, unsigned(m, 4)))], // BINUNICODE
  [0x63, pushGlobal], // GLOBAL
  [0x7d, (m) => pushGroup(m, { kind: "dict", entries: new Map() })], // EMPTY_DICT
  [0x5d, (m) => pushGroup(m, { kind: "list", items: [] })], // EMPTY_LIST
  [0x29, (m) => pushTuple(m, [])], // EMPTY_TUPLE
  [0x85, (m) => pushTuple(m, popMany(m, 1))], // TUPLE1
  [0x86, (m) => pushTuple(m, popMany(m, 2))], // TUPLE2
  [0x87, (m) => pushTuple(m, popMany(m, 3))], // TUPLE3
  [0x74, (m) => pushTuple(m, popToMark(m))], // TUPLE
  [0x71, (m) => void m.memo.set(unsigned(m, 1), top(m))], // BINPUT
  [0x72, (m) => void m.memo.set(unsigned(m, 4), top(m))], // LONG_BINPUT
  [0x68, (m) => recall(m, unsigned(m, 1))], // BINGET
  [0x6a, (m) => recall(m, unsigned(m, 4))], // LONG_BINGET
  [0x73, (m) => setItems(m, popMany(m, 2))], // SETITEM
  [0x75, (m) => setItems(m, popToMark(m))], // SETITEMS
  [0x61, (m) => append(m, popMany(m, 1))], // APPEND
  [0x65, (m) => append(m, popToMark(m))], // APPENDS
  [0x52, call], // REDUCE
  [0x62, build], // BUILD
  [0x51, (m) => pushGroup(m, { kind: "persistent", id: pop(m) })], // BINPERSID
] satisfies readonly (readonly [number, (machine: Machine) => void])[]);

function pushGlobal(machine: Machine): void {
  const name = `${line(machine)}.${line(machine)}`;
  if (name !== orderedDict && !machine.globals(name)) {
    fail(machine, `names ${quote(name)}, which is no part of a tensor record and which petl never runs`);
  }
  machine.stack.push({ kind: "global", name });
}

function call(machine: Machine): void {
  const [callee, args] = popMany(machine, 2);
  if (!isKind(callee, "global") || !isKind(args, "tuple")) fail(machine, "calls what cannot be called");
  if (callee.name !== orderedDict) {
    pushGroup(machine, { kind: "call", callee: callee.name, args: args.items });
  } else if (args.items.length === 0) pushGroup(machine, { kind: "dict", entries: new Map() });
  else fail(machine, `calls ${orderedDict} with arguments, which torch never does`);
}

/** Attributes of a dict, such as the version that a module's state has; they are passed over. */
function build(machine: Machine): void {
  pop(machine);
  if (!isKind(top(machine), "dict")) fail(machine, "sets attributes of what is no dict");
}

function setItems(machine: Machine, items: readonly Pickled[]): void {
  const dict = top(machine);
  if (!isKind(dict, "dict") || items.length % 2 !== 0) fail(machine, "sets items of what is no dict");
  for (let at = 0; at < items.length; at += 2) dict.entries.set(items[at] ?? null, items[at + 1] ?? null);
}

function append(machine: Machine, items: readonly Pickled[]): void {
  const list = top(machine);
  if (!isKind(list, "list")) fail(machine, "appends to what is no list");
  for (const item of items) list.items.push(item);
}

const pushTuple = (machine: Machine, items: readonly Pickled[]): void => pushGroup(machine, { kind: "tuple", items });

function recall(machine: Machine, key: number): void {
  const value = machine.memo.get(key);
  if (value === undefined) fail(machine, `recalls value ${key}, which was never stored`);
  machine.stack.push(value);
}

/** What stands above the last mark, below which nothing is taken. */
function popMany(machine: Machine, count: number): readonly Pickled[] {
  const { stack, marks } = machine;
  if (stack.length - count < (marks.at(-1) ?? 0)) return fail(machine, "takes more values than there are");
  return stack.splice(stack.length - count);
}

function popToMark(machine: Machine): readonly Pickled[] {
  const mark = machine.marks.pop();
  return mark === undefined ? fail(machine, "takes values to a mark that is not there") : machine.stack.splice(mark);
}

const pop = (machine: Machine): Pickled => popMany(machine, 1)[0] ?? null;

function top(machine: Machine): Pickled {
  const { stack, marks } = machine;
  return stack.length > (marks.at(-1) ?? 0)
    ? (stack.at(-1) ?? null)
    : fail(machine, "needs a value where there is none");
}

/** Where the next bytes begin, behind which the machine goes on. */
function skip(machine: Machine, length: number): number {
  const { at } = machine;
  if (at + length > machine.view.byteLength) fail(machine, "ends in the middle of an instruction");
  machine.at += length;
  return at;
}

function unsigned(machine: Machine, length: 1 | 2 | 4): number {
  const at = skip(machine, length);
  if (length === 1) return machine.view.getUint8(at);
  return length === 2 ? machine.view.getUint16(at, true) : machine.view.getUint32(at, true);
}

/** Torch counts in 64 bits at most. */
function long(machine: Machine): number {
  const length = unsigned(machine, 1);
  if (length > 8) fail(machine, `holds an integer of ${length} bytes`);
  const at = skip(machine, length);
  let value = 0n;
  for (let byte = 0; byte < length; byte++) value |= BigInt(machine.view.getUint8(at + byte)) << BigInt(8 * byte);
  return Number(BigInt.asIntN(8 * length, value));
}

function text(machine: Machine, length: number): string {
  const at = skip(machine, length);
  return new TextDecoder().decode(new Uint8Array(machine.view.buffer, machine.view.byteOffset + at, length));
}

/** A text up to the next line feed. */
function line(machine: Machine): string {
  let length = 0;
  while (machine.at + length < machine.view.byteLength && machine.view.getUint8(machine.at + length) !== 0x0a) length++;
  const found = text(machine, length);
  skip(machine, 1);
  return found;
}

export function isKind<K extends "global" | "tuple" | "list" | "dict" | "call" | "persistent">(
  value: Pickled | undefined,
  kind: K,
): value is Extract<Pickled, { readonly kind: K }> {
  return typeof value === "object" && value !== null && value.kind === kind;
}

function fail({ place }: Machine, problem: string): never {
  throw new InputError(`${place}: ${problem}`);
}
