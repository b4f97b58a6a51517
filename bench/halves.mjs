// What the benchmarks share: a half that runs steps when asked, medians, and what is worth noting of the machine.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { createInterface } from "node:readline";

/** Starts one half of a comparison, which says when it is ready and then runs as many steps as a line on stdin asks. */
export async function openHalf(name, command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${name} ended without an answer`);
      if (value.startsWith("{")) return JSON.parse(value);
    }
  };
  const ready = await answer();
  const times = [];
  let rss = 0;
  return {
    name,
    ready,
    times,
    rss: () => rss,
    async run(steps) {
      child.stdin.write(`${steps}\n`);
      const result = await answer();
      times.push(...result.ms);
      rss = result.rss;
    },
    close: () => child.stdin.end("\n"),
  };
}

/** Runs a command to its end; the last line of its stdout that is a JSON document. */
export function runToEnd(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      const document = output
        .trim()
        .split("\n")
        .reverse()
        .find((line) => line.startsWith("{"));
      if (code === 0 && document) resolve(JSON.parse(document));
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}`));
    });
  });
}

/** Seconds of the processor that ended children have taken together; undefined where the system doesn't say. */
export async function childrenSeconds() {
  const stat = await readFile("/proc/self/stat", "utf8").catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields && (Number(fields[13]) + Number(fields[14])) / 100; // cutime and cstime, in hundredths
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const surroundings = () => ({
  node: process.version,
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  load: loadavg()[0],
});
