import type { Setting } from "./setting.ts";

/** Bytes, as a number or as a size: kB, MB, GB are powers of 1000, KiB, MiB, GiB of 1024. */
export const byteSize = (help: string): Setting<number | undefined> => ({
  initial: undefined,
  placeholder: "BYTES",
  help,
  read(given) {
    if (given === undefined) return { value: undefined };
    const value = typeof given === "number" || typeof given === "string" ? bytesIn(String(given).trim()) : undefined;
    return value === undefined ? { problems: ["is no size such as 500000, 1MB or 4GiB"] } : { value };
  },
});

const unitBytes: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function bytesIn(text: string): number | undefined {
  const [, number, unit = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  const factor = unitBytes[unit.toLowerCase()];
  const value = number === undefined || factor === undefined ? 0 : Math.round(Number(number) * factor);
  return value > 0 ? value : undefined;
}
