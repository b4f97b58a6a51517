import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { adaptTo, lora, predict, random } from "@petl/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTiny, testFolder, writeRows } from "../library/open-tiny.fake.ts";
import { saveAdapter } from "../library/save.ts";
import { routes } from "./routes.ts";
import { type Serving, serve } from "./serve.ts";
import { smallServer, unwatched } from "./small-server.fake.ts";

const folder = testFolder();
const keys = { boss: "key of the boss", ann: "key of ann", bob: "key of bob" } as const;
type Name = keyof typeof keys;
let serving: Serving;
let expected: number;
/** what another adapter says of the same text */
let otherwise: number;

const options = {
  ...smallServer,
  base: join(folder, "base"),
  keys: join(folder, "keys.json"),
  shared: join(folder, "shared"),
  named: [{ name: "reviews", source: join(folder, "reviews") }],
};

beforeAll(async () => {
  const base = await openTiny(folder);
  const model = await adaptTo(base, lora({ rank: 2 }), { task: "classification", labels: ["bad", "good"] });
  const saved = async (seed: number, name: string) => {
    const numbers = random(seed, "a test's adapter");
    model.phi.values.set(Array.from(model.phi.values, () => numbers.uniform() - 0.5));
    await saveAdapter(model, join(folder, name));
    return (await predict(model, ["a fine film"]))[0]?.scores.good ?? 0;
  };
  expected = await saved(1, "reviews");
  otherwise = await saved(2, "others");
  await base.close();
  const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
  const tenants = Object.entries(keys).map(([name, key]) => ({
    name,
    key_sha256: sha256(key.replaceAll(" ", "-")),
    ...(name === "boss" && { admin: true }),
  }));
  writeFileSync(options.keys, JSON.stringify({ tenants }));
  serving = await serve(options, unwatched);
});
afterAll(() => serving.end(2000));

async function ask(
  who: Name | undefined,
  verb: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  const key = who && { authorization: `Bearer ${keys[who].replaceAll(" ", "-")}` };
  const sent = body instanceof FormData ? body : body === undefined ? null : JSON.stringify(body);
  const response = await fetch(serving.url + path, { method: verb, headers: { ...key, ...headers }, body: sent });
  const text = await response.text();
  const names = [...response.headers.keys()].sort();
  const known = text.startsWith("{") ? JSON.parse(text) : undefined;
  return { status: response.status, text, names, json: known, headers: response.headers };
}

async function upload(who: Name): Promise<string> {
  const form = new FormData();
  form.set("purpose", "fine-tune");
  form.set("file", new Blob([readFileSync(writeRows(folder, "rows.csv"))]), "../../rows.csv");
  const { json, status } = await ask(who, "POST", "/v1/files", form);
  expect(status).toBe(200);
  expect(json.filename).toBe("rows.csv");
  return json.id;
}

async function trained(
  who: Name,
  file: string,
): Promise<{ id: string; fine_tuned_model: string; result_files: string[] }> {
  const hyperparameters = { method: "lora", rank: 2, steps: 2, batch: 4, threads: 1, lr: 0.01 };
  const { json } = await ask(who, "POST", "/v1/fine_tuning/jobs", {
    model: "base",
    training_file: file,
    hyperparameters,
  });
  const stream = await ask(who, "GET", `/v1/fine_tuning/jobs/${json.id}/events`, undefined, {
    accept: "text/event-stream",
  });
  expect(stream.text).toMatch(/has succeeded/);
  return (await ask(who, "GET", `/v1/fine_tuning/jobs/${json.id}`)).json;
}

test("an answer of the server is the library's, probabilities in the order of label ids", async () => {
  const { json } = await ask("boss", "POST", "/v1/classify", { model: "reviews", input: ["a fine film", "dull work"] });
  expect(json.data[0].probs[1]).toBeCloseTo(expected, 5);
  expect(
    json.data.map(({ num_classes, index }: { num_classes: number; index: number }) => [index, num_classes]),
  ).toEqual([
    [0, 2],
    [1, 2],
  ]);
  expect((await ask("boss", "POST", "/v1/classify", { model: "base", input: "a" })).status).toBe(422);
  expect((await ask("boss", "POST", "/v1/classify", { model: "reviews", input: [] })).status).toBe(400);
  expect((await ask("boss", "POST", "/v1/chat/completions", { model: "base", messages: [] })).status).toBe(400);
});

test("every route needs a key but /health; a wrong verb is 405; ids of others answer as ids of nobody, to the byte", async () => {
  const file = await upload("ann");
  const job = await trained("ann", file);
  const result = job.result_files[0] ?? "";
  const [model, nobody] = [job.fine_tuned_model, "ftjob-000000000000000000000000"];
  const job2 = { model: "base", training_file: file };
  /** for every route: a request for what is ann's, and the same for what is nobody's; undefined where none is named */
  const matrix: Readonly<Record<string, readonly [theirs: Asking, none: Asking] | undefined>> = {
    "GET /health": undefined,
    "GET /metrics": undefined,
    "GET /v1/models": undefined,
    "GET /v1/models/{id}": [[`/v1/models/${model}`], ["/v1/models/nobody"]],
    "DELETE /v1/models/{id}": [[`/v1/models/${model}`], ["/v1/models/nobody"]],
    "POST /v1/models/{id}/share": [
      [`/v1/models/${model}/share`, { tenants: "all" }],
      ["/v1/models/nobody/share", { tenants: "all" }],
    ],
    "POST /v1/classify": [
      ["/v1/classify", { model, input: "a" }],
      ["/v1/classify", { model: "nobody", input: "a" }],
    ],
    "POST /v1/embeddings": [
      ["/v1/embeddings", { model, input: "a" }],
      ["/v1/embeddings", { model: "nobody", input: "a" }],
    ],
    "POST /v1/completions": [
      ["/v1/completions", { model, prompt: "a" }],
      ["/v1/completions", { model: "nobody", prompt: "a" }],
    ],
    "POST /v1/chat/completions": [
      ["/v1/chat/completions", { model, messages: [{ role: "user", content: "a" }] }],
      ["/v1/chat/completions", { model: "nobody", messages: [{ role: "user", content: "a" }] }],
    ],
    "POST /v1/load_lora_adapter": [
      ["/v1/load_lora_adapter", { lora_name: "x", lora_path: join(folder, "reviews") }],
      ["/v1/load_lora_adapter", { lora_name: "x", lora_path: "/nowhere" }],
    ],
    "POST /v1/unload_lora_adapter": [
      ["/v1/unload_lora_adapter", { lora_name: model }],
      ["/v1/unload_lora_adapter", { lora_name: "nobody" }],
    ],
    "POST /v1/files": undefined,
    "GET /v1/files": [["/v1/files?after=".concat(file)], ["/v1/files?after=file-0"]],
    "GET /v1/files/{id}": [[`/v1/files/${file}`], ["/v1/files/file-0"]],
    "GET /v1/files/{id}/content": [[`/v1/files/${result}/content`], ["/v1/files/file-0/content"]],
    "DELETE /v1/files/{id}": [[`/v1/files/${file}`], ["/v1/files/file-0"]],
    "POST /v1/fine_tuning/jobs": [
      ["/v1/fine_tuning/jobs", job2],
      ["/v1/fine_tuning/jobs", { ...job2, training_file: "file-0" }],
    ],
    "GET /v1/fine_tuning/jobs": [[`/v1/fine_tuning/jobs?after=${job.id}`], ["/v1/fine_tuning/jobs?after=ftjob-0"]],
    ...Object.fromEntries(
      [
        ["GET", ""],
        ["GET", "/events"],
        ["GET", "/checkpoints"],
        ["POST", "/cancel"],
        ["POST", "/pause"],
        ["POST", "/resume"],
      ].map(([verb, end]) => [
        `${verb} /v1/fine_tuning/jobs/{id}${end}`,
        [[`/v1/fine_tuning/jobs/${job.id}${end}`], [`/v1/fine_tuning/jobs/${nobody}${end}`]],
      ]),
    ),
  };
  expect(routes.map(({ verb, path }) => `${verb} ${path}`).sort()).toEqual(Object.keys(matrix).sort());
  for (const { verb, path, access } of routes) {
    const [theirs, none] = matrix[`${verb} ${path}`] ?? [[path], [path]];
    if (access !== "all") expect((await ask(undefined, verb, theirs[0], theirs[1])).status, path).toBe(401);
    if (!matrix[`${verb} ${path}`]) continue;
    for (const who of access === "admin" ? (["bob"] as const) : (["bob", "boss"] as const)) {
      const [a, b] = [await ask(who, verb, ...theirs), await ask(who, verb, ...none)];
      expect([a.status, a.text, a.names], `${who} ${verb} ${path}`).toEqual([404, b.text, b.names]);
    }
  }
  expect((await ask("ann", "PUT", "/v1/models")).status).toBe(405);
  expect((await ask("ann", "POST", "/v1/classify", { model, input: "a fine film" })).status).toBe(200);
  expect((await ask("bob", "GET", "/metrics")).text).not.toMatch(/tenant="ann"/);
  expect((await ask("bob", "GET", "/v1/models")).json.data.map(({ id }: { id: string }) => id)).toEqual(["base"]);
  await ask("boss", "POST", "/v1/models/reviews/share", { tenants: ["bob"] });
  expect((await ask("bob", "POST", "/v1/classify", { model: "reviews", input: "a" })).status).toBe(200);
  expect((await ask("ann", "POST", "/v1/classify", { model: "reviews", input: "a" })).status).toBe(404);
});
type Asking = readonly [path: string, body?: unknown];

test("what was uploaded, trained and loaded outlives the server; one Idempotency-Key makes one job", async () => {
  const file = await upload("bob");
  const job = await trained("bob", file);
  await ask("boss", "POST", "/v1/load_lora_adapter", { lora_name: "kept", lora_path: join(folder, "reviews") });
  for (const name of ["kept", "reviews"]) await ask("boss", "POST", `/v1/models/${name}/share`, { tenants: ["ann"] });
  const request = { model: "base", training_file: file, hyperparameters: { steps: 1, threads: 1 } };
  const key = { "idempotency-key": "one" };
  const [first, second] = await Promise.all([1, 2].map(() => ask("bob", "POST", "/v1/fine_tuning/jobs", request, key)));
  expect(second?.json.id).toBe(first?.json.id);
  expect((await ask("bob", "POST", "/v1/fine_tuning/jobs", { ...request, seed: 1 }, key)).status).toBe(409);
  await ask("bob", "POST", `/v1/fine_tuning/jobs/${first?.json.id}/cancel`);
  expect((await ask("bob", "POST", `/v1/fine_tuning/jobs/${first?.json.id}/cancel`)).status).toBe(409);
  await serving.end(5000);
  serving = await serve(options, unwatched);
  const models = (await ask("boss", "GET", "/v1/models")).json.data.map(({ id }: { id: string }) => id);
  expect(models).toEqual(["base", "reviews", "kept"]);
  const seen = (await ask("ann", "GET", "/v1/models")).json.data.map(({ id }: { id: string }) => id);
  expect(seen).toEqual(expect.arrayContaining(["reviews", "kept"]));
  expect((await ask("bob", "GET", "/v1/models")).json.data.map(({ id }: { id: string }) => id)).toContain(
    job.fine_tuned_model,
  );
  expect((await ask("bob", "GET", `/v1/files/${file}/content`)).text).toBe(
    readFileSync(join(folder, "rows.csv"), "utf8"),
  );
  expect((await ask("bob", "GET", `/v1/fine_tuning/jobs/${first?.json.id}`)).json.status).toBe("cancelled");
  const again = await ask("boss", "POST", "/v1/classify", { model: "kept", input: "a fine film" });
  expect(again.json.data[0].probs[1]).toBeCloseTo(expected, 5);
});

test("too large a body is refused by its length, unread; a host that others reach needs keys", async () => {
  const { status } = await ask("ann", "POST", "/v1/classify", { model: "reviews", input: "x".repeat(2 ** 23) });
  expect(status).toBe(413);
  const { keys: _, ...open } = { ...options, host: "0.0.0.0" };
  await expect(serve(open, unwatched)).rejects.toThrow(/needs --keys/);
});

test("an adapter that is replaced while it is asked answers each request wholly as the old or as the new one", async () => {
  expect(Math.abs(expected - otherwise)).toBeGreaterThan(0.01);
  const load = (from: string) =>
    ask("boss", "POST", "/v1/load_lora_adapter", { lora_name: "live", lora_path: join(folder, from) });
  const isOf = (probability: number) =>
    (["reviews", "others"] as const).filter(
      (_, at) => Math.abs(probability - ([expected, otherwise][at] ?? 0)) < 1e-5,
    )[0];
  /** whose a request's answer is, which has more rows than a batch; undefined while too many ask */
  const askedNow = async () => {
    const { status, json } = await ask("boss", "POST", "/v1/classify", {
      model: "live",
      input: Array.from({ length: 20 }, () => "a fine film"),
    });
    if (status === 429) return undefined;
    expect(status).toBe(200);
    const kinds: ReadonlySet<unknown> = new Set(
      json.data.map(({ probs }: { readonly probs: readonly number[] }) => isOf(probs[1] ?? 0)),
    );
    expect(kinds.size).toBe(1);
    return [...kinds][0];
  };
  await load("reviews");
  const seen = new Set<unknown>();
  let isOver = false;
  const asking = Array.from({ length: 2 }, async () => {
    while (!isOver) seen.add(await askedNow());
  });
  for (const from of ["others", "reviews", "others", "reviews"]) {
    expect((await load(from)).status).toBe(200);
    let asked = await askedNow();
    while (asked === undefined) asked = await askedNow();
    expect(asked).toBe(from);
  }
  isOver = true;
  await Promise.all(asking);
  expect(seen).toContain("reviews");
  expect(seen).toContain("others");
});

test("an empty text has no vector, and the answer names it", async () => {
  const answer = await ask("boss", "POST", "/v1/embeddings", { model: "reviews", input: ["a", ""] });
  expect(answer.status).toBe(400);
  expect(answer.json.error).toMatchObject({ param: "input", message: "input[1] is an empty text" });
});

test("what is no path is 400 or 404 and ends nothing else", async () => {
  const { hostname, port } = new URL(serving.url);
  const said = (target: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `GET ${target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer key-of-ann\r\nConnection: close\r\n\r\n`,
        );
      });
      let text = "";
      socket.on("data", (piece) => {
        text += String(piece);
      });
      socket.once("error", reject).once("close", () => resolve(text.split(" ")[1] ?? ""));
    });
  expect(await Promise.all(["//", "//a:b:c/", "http://[", "*", "http://other/v1/models"].map(said))).toEqual([
    ...["404", "404", "400", "400", "200"],
  ]);
  expect((await ask("ann", "GET", "/v1/models")).status).toBe(200);
});

test("a name that no address can name and a folder without an adapter are refused in their own words", async () => {
  const load = (lora_name: string, lora_path: string) =>
    ask("boss", "POST", "/v1/load_lora_adapter", { lora_name, lora_path });
  for (const name of ["a/../b", "a/.", "a//b", "a/"]) expect((await load(name, options.base)).status).toBe(400);
  const { status, text } = await load("none", folder);
  expect(status).toBe(400);
  expect(text).toContain(basename(folder));
  expect(text).not.toMatch(/[0-9a-f]{64}/);
  const fits = await load("org/reviews", join(folder, "reviews"));
  expect(fits.status).toBe(200);
  expect((await ask("boss", "GET", "/v1/models/org/reviews")).json.id).toBe("org/reviews");
  expect((await ask("boss", "DELETE", "/v1/models/org/reviews")).status).toBe(200);
});
