import { InternalError } from "../../errors.ts";
import { type HostTensor, sizeOf } from "../../tensor/host-tensor.ts";
import type { OwnBytes } from "../../tensor/own-memory.ts";
import { joinBytes } from "../../values.ts";
import { littleEndian } from "../bytes.ts";
import { zipBytes } from "./zip-writer.ts";

const text = new TextEncoder();

/** The tensors as `torch.save` writes a dict of float32 tensors: `torch.load(file, weights_only=True)` reads it. */
export function torchFileBytes(tensors: Iterable<readonly [string, HostTensor]>): OwnBytes {
  const entries = [...tensors];
  const storages = entries.map(([name, { dtype, shape, data }], key) => {
    if (dtype !== "float32" || data.length !== sizeOf(shape)) throw new InternalError(`"${name}" is no float32 tensor`);
    return [`data/${key}`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)] as const;
  });
  const files = [["data.pkl", pickleOf(entries)], ["byteorder", text.encode("little")], ...storages] as const;
  return zipBytes(
    [...files, ["version", text.encode("3\n")] as const].map(([name, bytes]) => [`archive/${name}`, bytes]),
  );
}

/** Protocol 2; see readPickle of pickle.ts for the instructions. */
function pickleOf(entries: readonly (readonly [string, HostTensor])[]): OwnBytes {
  const records = entries.flatMap(([name, { shape }], key) => [
    ...[string(name), global("torch._utils", "_rebuild_tensor_v2"), mark],
    ...[mark, string("storage"), global("torch", "FloatStorage"), string(String(key)), string("cpu")],
    ...[integer(sizeOf(shape)), tuple, persistent, integer(0), counts(shape), counts(stepsOf(shape)), no],
    ...[global("collections", "OrderedDict"), noItems, call, tuple, call],
  ]);
  return joinBytes([Uint8Array.of(0x80, 2, 0x7d), mark, ...records, Uint8Array.of(0x75, 0x2e)]);
}

const mark = Uint8Array.of(0x28);
const tuple = Uint8Array.of(0x74);
const noItems = Uint8Array.of(0x29);
const call = Uint8Array.of(0x52);
const persistent = Uint8Array.of(0x51);
const no = Uint8Array.of(0x89);

const integer = (value: number) => joinBytes([Uint8Array.of(0x4a), littleEndian("int32", value)]);
const counts = (values: readonly number[]) => joinBytes([mark, ...values.map(integer), tuple]);
const global = (module: string, name: string) => text.encode(`c${module}\n${name}\n`);

function string(value: string): Uint8Array {
  const bytes = text.encode(value);
  return joinBytes([Uint8Array.of(0x58), littleEndian("uint32", bytes.length), bytes]);
}

/** How far apart neighbours along each axis lie, row-major. */
const stepsOf = (shape: readonly number[]): readonly number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
