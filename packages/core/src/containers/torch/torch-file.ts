import { InputError } from "../../errors.ts";
import { bytesOf, type DType } from "../../tensor/dtype.ts";
import type { StoredTensor } from "../../tensor/stored-tensor.ts";
import { type ByteSource, readBytes } from "../folder.ts";
import { quote } from "../json.ts";
import { problemList } from "../problem-list.ts";
import { isKind, type Pickled, readPickle } from "./pickle.ts";
import { readZip, type ZipEntry } from "./zip.ts";

/** Names of files that torch writes. */
export const isTorchFile = (name: string): boolean => /\.(bin|pt|pth|ckpt)$/.test(name);

const rebuild = "torch._utils._rebuild_tensor_v2";
const rebuildParameter = "torch._utils._rebuild_parameter";

const storages: ReadonlyMap<string, DType> = new Map([
  ["torch.FloatStorage", "float32"],
  ["torch.DoubleStorage", "float64"],
  ["torch.HalfStorage", "float16"],
  ["torch.BFloat16Storage", "bfloat16"],
  ["torch.LongStorage", "int64"],
  ["torch.IntStorage", "int32"],
  ["torch.ShortStorage", "int16"],
  ["torch.CharStorage", "int8"],
  ["torch.ByteStorage", "uint8"],
  ["torch.BoolStorage", "bool"],
]);

const isKnown = (name: string): boolean => name === rebuild || name === rebuildParameter || storages.has(name);

/** A pickle of names and shapes is short; what is longer holds something else. */
const longestPickle = 2 ** 26;

/**
 * The tensors of a file that `torch.save` made of a dict of tensors: a zip archive whose `data.pkl` says names, shapes and
 * places, and whose other files are the tensors' bytes. The pickle is read by an interpreter that knows tensor records and
 * nothing else, so that no code of the file ever runs; no tensor is read.
 *
 * @throws InputError with every value that is no plain tensor
 * Source: torch/serialization.py and torch/_utils.py
 */
export async function readTorchFile(source: ByteSource): Promise<ReadonlyMap<string, StoredTensor>> {
  const entries = await readZip(source);
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  const entry = pickle === undefined ? undefined : entries.get(pickle);
  if (pickle === undefined || !entry)
    throw new InputError(`${source.name}: holds no data.pkl, so torch did not write it`);
  if (entry.size > longestPickle) {
    throw new InputError(`${source.name}: a data.pkl of ${entry.size} bytes holds more than tensors' names and shapes`);
  }
  const root = pickle.slice(0, pickle.indexOf("/"));
  await requireLittleEndian(source, entries.get(`${root}/byteorder`));
  const value = readPickle(await readBytes(source, entry.offset, entry.size), `${source.name}: data.pkl`, isKnown);
  if (!isKind(value, "dict")) throw new InputError(`${source.name}: holds no dict of tensors`);
  const problems = problemList(source.name);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, item] of value.entries) {
    if (typeof name !== "string") problems.add(`the name ${shown(name)} is no text`);
    else {
      const tensor = tensorOf(item, (key) => entries.get(`${root}/data/${key}`));
      if (typeof tensor === "string") problems.add(`${quote(name)} ${tensor}`);
      else tensors.set(name, { name, file: source.name, ...tensor });
    }
  }
  problems.refuse();
  return tensors;
}

async function requireLittleEndian(source: ByteSource, entry: ZipEntry | undefined): Promise<void> {
  if (!entry) return;
  const order = new TextDecoder().decode(await readBytes(source, entry.offset, Math.min(entry.size, 10)));
  if (order !== "little")
    throw new InputError(`${source.name}: its byte order is ${quote(order)}; petl reads "little"`);
}

type Placed = Omit<StoredTensor, "name" | "file">;

/** Where a record's tensor lies, or what is wrong with the record. */
function tensorOf(value: Pickled, entryOf: (key: string) => ZipEntry | undefined): Placed | string {
  if (!isKind(value, "call")) return `is ${shown(value)}, no tensor`;
  if (value.callee === rebuildParameter) return tensorOf(innerRecord(value.args[0]), entryOf);
  const [storage, offset, size, stride] = value.args;
  const place = storageOf(storage);
  const shape = countsOf(size);
  const steps = countsOf(stride);
  if (value.callee !== rebuild || !place || !isCount(offset) || !shape || steps?.length !== shape.length) {
    return "is a damaged record of a tensor";
  }
  const entry = entryOf(place.key);
  const count = shape.reduce((product, length) => product * length, 1);
  const begin = offset * bytesOf[place.dtype];
  const byteLength = count * bytesOf[place.dtype];
  if (!entry || !(begin + byteLength <= entry.size)) return `lies outside of its storage ${quote(place.key)}`;
  if (count > 0 && !isRowMajor(shape, steps)) return "is stored transposed or in steps; save a contiguous copy of it";
  return { offset: entry.offset + begin, byteLength, dtype: place.dtype, shape };
}

/** A parameter holds a tensor, and no parameter. */
const innerRecord = (value: Pickled | undefined): Pickled =>
  isKind(value, "call") && value.callee === rebuild ? value : null;

/** ("storage", its type, its key, its device, its number of elements) */
function storageOf(value: Pickled | undefined): { readonly dtype: DType; readonly key: string } | undefined {
  if (!isKind(value, "persistent") || !isKind(value.id, "tuple")) return undefined;
  const [word, type, key] = value.id.items;
  const dtype = isKind(type, "global") ? storages.get(type.name) : undefined;
  return word === "storage" && dtype && typeof key === "string" ? { dtype, key } : undefined;
}

function countsOf(value: Pickled | undefined): readonly number[] | undefined {
  if (!isKind(value, "tuple") || value.items.length > 64) return undefined;
  const counts = value.items.filter(isCount);
  return counts.length === value.items.length ? counts : undefined;
}

const isCount = (value: Pickled | undefined): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

/** Whether each element follows the one before it; the step along an axis of one element says nothing. */
function isRowMajor(shape: readonly number[], steps: readonly number[]): boolean {
  let wanted = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis] ?? 1;
    if (length !== 1 && steps[axis] !== wanted) return false;
    wanted *= length;
  }
  return true;
}

function shown(value: Pickled): string {
  if (typeof value === "string") return quote(value);
  if (typeof value !== "object" || value === null) return String(value);
  return `a ${value.kind}`;
}
