// A server under load: clients that ask one after the other, each for another adapter, at 1, 10, 100, 1,000 adapters; throughput,
// p50, p99 and the server's memory, and the same at three times as many clients. Waiting is measured twice: by the clients, which on
// a crowded machine wait for their own processor too, and by the server from a request's head to its answer's end.
//   node bench/serve.mjs [--base petl-mini-encoder] [--adapters 1,10,100,1000] [--clients 32] [--seconds 10]
// Appends a record to results/serve.jsonl.
import { spawn } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { adaptTo, lora, openBase, saveAdapter } from "petl";
import { surroundings } from "./halves.mjs";

const { values } = parseArgs({
  options: {
    base: { type: "string", default: "petl-mini-encoder" },
    adapters: { type: "string", default: "1,10,100,1000" },
    clients: { type: "string", default: "32" },
    seconds: { type: "string", default: "10" },
    threads: { type: "string", default: "1" },
    out: { type: "string", default: "results/serve.jsonl" },
  },
});
const counts = values.adapters.split(",").map(Number);
/** Milliseconds of the answers that the server's access log told of. */
const served = [];
let unread = "";
const scratch = await mkdtemp(join(tmpdir(), "petl-serve-"));
try {
  const rows = [];
  await makeAdapters(Math.max(...counts));
  for (const count of counts) rows.push(...(await measured(count)));
  const record = {
    benchmark: "serve",
    date: new Date().toISOString().slice(0, 10),
    base: values.base,
    method: "lora",
    rank: 8,
    seconds: Number(values.seconds),
    threads: Number(values.threads),
    rows,
    surroundings: surroundings(),
  };
  await appendFile(values.out, `${JSON.stringify(record)}\n`);
  console.table(rows);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function makeAdapters(count) {
  const base = await openBase(values.base, { threads: 1 });
  const model = await adaptTo(base, lora({ rank: 8 }), { task: "classification", labels: ["a", "b"] });
  const start = model.phi.values.slice();
  for (let at = 0; at < count; at++) {
    model.phi.values.set(start.map((value, i) => value + 0.02 * Math.sin(i * (at + 1))));
    await saveAdapter(model, join(scratch, "all", `adapter-${at}`));
  }
  await base.close();
}

function noteServed(text) {
  const lines = (unread + text).split("\n");
  unread = lines.pop() ?? "";
  for (const line of lines) {
    if (!line.startsWith("{")) continue;
    const { status, milliseconds, route } = JSON.parse(line);
    if (status === 200 && route === "/v1/classify") served.push(milliseconds);
  }
}

function quantile(times, share) {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.round(10 * (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)) / 10;
}

/** A server with so many adapters, at its load and at three times that. */
async function measured(count) {
  const given = Array.from({ length: count }, (_, at) => [
    "--adapter",
    `adapter-${at}=${join(scratch, "all", `adapter-${at}`)}`,
  ]);
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...["packages/petl/bin/petl.js", "serve", "--base", values.base, "--port", "0", "--threads", values.threads],
      ...["--resident", "1000", "--shared", join(scratch, "shared"), ...given.flat()],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const url = await new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (text) => {
      if (said.length < 65536) said += text;
      noteServed(String(text));
      const found = /listening on (\S+)/.exec(said)?.[1];
      if (found) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const start_ms = performance.now() - begin;
  const rows = [];
  await load(url, count, 4, 2); // compiles
  for (const times of [1, 3]) {
    const clients = Number(values.clients) * times;
    served.splice(0);
    const found = await load(url, count, clients, Number(values.seconds));
    rows.push({
      adapters: count,
      clients,
      start_ms: Math.round(start_ms),
      ...found,
      server_p50_ms: quantile(served, 0.5),
      server_p99_ms: quantile(served, 0.99),
      rss_bytes: await memoryOf(child.pid),
    });
  }
  child.removeAllListeners("exit").kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
  return rows;
}

/** Clients that each ask again as soon as they are answered; one that is sent away waits as it is told, a hundredth of it here. */
async function load(url, count, clients, seconds) {
  const end = performance.now() + seconds * 1000;
  const times = [];
  let refused = 0;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let turn = 0; performance.now() < end; turn++) {
        const body = {
          model: `adapter-${(client * 31 + turn * 7) % count}`,
          input: "the film was good and the song was not so dull",
        };
        const begin = performance.now();
        const answer = await fetch(`${url}/v1/classify`, { method: "POST", body: JSON.stringify(body) });
        await answer.arrayBuffer();
        if (answer.status === 200) times.push(performance.now() - begin);
        else if (answer.status === 429) {
          refused++;
          await new Promise((resolve) => setTimeout(resolve, 10 * Number(answer.headers.get("retry-after"))));
        } else throw new Error(`answered ${answer.status}`);
      }
    }),
  );
  return {
    answers_per_second: Math.round(times.length / seconds),
    p50_ms: quantile(times, 0.5),
    p99_ms: quantile(times, 0.99),
    refused,
  };
}

async function memoryOf(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
