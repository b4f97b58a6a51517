import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { crc32, protobuf } from "@petl/core";
import { growingFile } from "../disk/growing-file.ts";
import { makeFolder } from "../disk/make-folder.ts";
import { version } from "../version.ts";
import type { TrackerKind } from "./tracker.ts";

/**
 * A run of Weights & Biases that `wandb sync` sends later: a folder wandb/offline-run-DATE-ID with a log of records
 * (wandb_internal.proto) in LevelDB's layout of blocks.
 */
export const wandbOffline: TrackerKind = {
  name: "wandb-offline",
  place: "DIR",
  async open(folder, { name, settings }) {
    const begin = Date.now() / 1000;
    const id = randomUUID().replaceAll("-", "").slice(0, 8);
    const date = new Date(begin * 1000)
      .toISOString()
      .replace(/[-:]|\..*/g, "")
      .replace("T", "_");
    const runFolder = join(folder, "wandb", `offline-run-${date}-${id}`);
    await makeFolder(join(runFolder, "files"));
    const file = growingFile(join(runFolder, `run-${id}.wandb`));
    const blocks = blockWriter(file.append);
    let number = 0;
    const write = (content: protobuf.Field) => blocks(protobuf.join(protobuf.int(1, ++number), content));
    const last: Record<string, number> = {};
    write(header());
    write(runRecord(id, name, settings, begin));
    return {
      log(step, values, seconds) {
        const told = { ...values, _timestamp: seconds, _runtime: seconds - begin, _step: step };
        Object.assign(last, told);
        write(history(step, told));
      },
      async close(outcome) {
        write(summary(last));
        write(protobuf.message(18, protobuf.int(1, outcome === "finished" ? 0 : 1)));
        file.close();
      },
    };
  },
};

const { int, message, string } = protobuf;

/** Record.header { version_info { producer = 1, min_consumer = 2 } } */
const header = () => message(21, message(1, string(1, `petl ${version}`), string(2, "0.13.0")));

/** Record.run { run_id = 1, project = 3, config = 4 { update = 1 }, display_name = 8, host = 13, start_time = 17 } */
function runRecord(id: string, name: string, settings: Readonly<Record<string, unknown>>, begin: number) {
  const told = Object.entries(settings).filter(([, value]) => value !== undefined);
  const config = told.map(([key, value]) => message(1, string(1, key), string(16, JSON.stringify(value))));
  return message(
    17,
    ...[string(1, id), string(3, "petl"), message(4, ...config), string(8, name), string(13, hostname())],
    message(17, int(1, Math.floor(begin)), int(2, Math.round((begin % 1) * 1e9))),
  );
}

/** Items { nested_key = 2, value_json = 16 } */
const items = (values: Readonly<Record<string, number>>) =>
  Object.entries(values).map(([key, value]) => message(1, string(2, key), string(16, JSON.stringify(value))));

/** Record.history { item = 1, step = 2 { num = 1 } } */
const history = (step: number, values: Readonly<Record<string, number>>) =>
  message(2, ...items(values), message(2, int(1, step)));

/** Record.summary { update = 1 } */
const summary = (values: Readonly<Record<string, number>>) => message(3, ...items(values));

const blockSize = 32_768;
const partHeader = 7;
const Part = { whole: 1, first: 2, middle: 3, last: 4 } as const;

/**
 * LevelDB's log: blocks of 32 KiB; a record is one part or several, each with checksum, length and kind in front, and no
 * part crosses a block. The file begins with seven bytes of wandb's own.
 */
function blockWriter(append: (bytes: Uint8Array) => void): (record: Uint8Array) => void {
  append(Uint8Array.of(0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0)); // ":W&B", the number 0xbee1, version 0
  let at = partHeader;
  return (record) => {
    let rest = record;
    for (let isFirst = true; isFirst || rest.length > 0; isFirst = false) {
      const left = blockSize - at;
      if (left < partHeader) {
        append(new Uint8Array(left));
        at = 0;
      }
      const part = rest.subarray(0, blockSize - at - partHeader);
      rest = rest.subarray(part.length);
      const isLast = rest.length === 0;
      append(partBytes(part, isFirst ? (isLast ? Part.whole : Part.first) : isLast ? Part.last : Part.middle));
      at = (at + partHeader + part.length) % blockSize;
    }
  };
}

function partBytes(part: Uint8Array, kind: number): Uint8Array {
  const bytes = new Uint8Array(partHeader + part.length);
  bytes[6] = kind;
  bytes.set(part, partHeader);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, crc32(bytes.subarray(6)), true);
  view.setUint16(4, part.length, true);
  return bytes;
}
