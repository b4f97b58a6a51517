import { hostname } from "node:os";
import { join } from "node:path";
import { crc32c, protobuf } from "@petl/core";
import { growingFile } from "../disk/growing-file.ts";
import { makeFolder } from "../disk/make-folder.ts";
import type { TrackerKind } from "./tracker.ts";

/**
 * TensorBoard's event files: records of TFRecord, each an Event with its time, step and scalar values
 * (tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.cc).
 */
export const tensorboard: TrackerKind = {
  name: "tensorboard",
  place: "DIR",
  async open(folder, { name }) {
    const runFolder = join(folder, name);
    await makeFolder(runFolder);
    const begin = Date.now() / 1000;
    const path = join(runFolder, `events.out.tfevents.${Math.floor(begin)}.${hostname()}.${process.pid}`);
    const file = growingFile(path);
    const write = (bytes: Uint8Array) => file.append(record(bytes));
    write(protobuf.join(protobuf.double(1, begin), protobuf.string(3, "brain.Event:2")));
    let begun = false;
    return {
      log(step, values, seconds) {
        if (!begun) write(startEvent(step, seconds));
        begun = true;
        write(scalarEvent(step, values, seconds));
      },
      close: async () => file.close(),
    };
  },
};

/**
 * Event { wall_time = 1, step = 2, session_log = 7 { status = 1: START } }: what an earlier file of the run has from this
 * step on counts no more, as where a run goes on from its checkpoint or begins anew.
 */
const startEvent = (step: number, seconds: number): Uint8Array =>
  protobuf.join(protobuf.double(1, seconds), protobuf.int(2, step), protobuf.message(7, protobuf.int(1, 1)));

/** Event { wall_time = 1, step = 2, summary = 5 { value = 1 { tag = 1, simple_value = 2 } } } */
function scalarEvent(step: number, values: Readonly<Record<string, number>>, seconds: number): Uint8Array {
  const { double, float, int, join: joined, message, string } = protobuf;
  const scalars = Object.entries(values).map(([tag, value]) => message(1, string(1, tag), float(2, value)));
  return joined(double(1, seconds), int(2, step), message(5, ...scalars));
}

/** A record: its length, the length's masked checksum, its bytes, their masked checksum; all little-endian. */
function record(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 16);
  const view = new DataView(whole.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, masked(crc32c(whole.subarray(0, 8))), true);
  whole.set(bytes, 12);
  view.setUint32(12 + bytes.length, masked(crc32c(bytes)), true);
  return whole;
}

/** A checksum of data that hold checksums would be weak; so it is turned and shifted. */
const masked = (checksum: number): number => (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
