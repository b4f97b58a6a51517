import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MachineError } from "../machine-error.ts";
import { commit, openTrial, type Trial } from "./hub.fake.ts";
import { type ResolveOptions, resolveDataSet } from "./hub.ts";

let trial: Trial;
beforeEach(async () => {
  trial = await openTrial();
  for (const name of ["HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"]) vi.stubEnv(name, "");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await trial.close();
});

const id = { repo: "owner/name", revision: "main" };
const text = (content: string) => Buffer.from(content);
const find = (wanted: Parameters<typeof resolveDataSet>[1] = {}, options: ResolveOptions = {}) =>
  resolveDataSet(id, wanted, {
    cacheDir: trial.cacheDir,
    endpoint: trial.hub.endpoint,
    retryDelay: 1,
    timeout: 2000,
    ...options,
  });
const card = `---
configs:
- config_name: small
  data_files:
  - split: train
    path: small/train-*
- config_name: large
  default: true
  data_files:
  - split: train
    path: "large/*.csv"
  - split: test
    path: [large/held/a.csv]
---
# A data set`;

test("a configuration's files come in the Python library's layout, once, and then without network", async () => {
  const names = ["small/train-00000-of-00001.csv", "large/x.csv", "large/held/a.csv", "code.py"];
  trial.hub.files = {
    "README.md": text(card),
    ...Object.fromEntries(names.map((name) => [name, text("text,label\n")])),
  };
  const large = await find();
  expect(large).toMatchObject({ commit, files: { splits: { train: ["large/x.csv"], test: ["large/held/a.csv"] } } });
  expect(large.folder).toBe(join(trial.cacheDir, "datasets--owner--name", "snapshots", commit));
  expect(readdirSync(large.folder, { recursive: true }).map(String).sort()).toEqual(
    ["README.md", "large", "large/held", "large/held/a.csv", "large/x.csv"].sort(),
  );
  const asked = trial.hub.requests.length;
  expect(await find({}, { offline: true })).toEqual(large);
  expect(trial.hub.requests).toHaveLength(asked);
  await expect(find({ config: "small" }, { offline: true })).rejects.toThrow("no file");
  expect((await find({ config: "small", split: "train" })).files).toEqual({ kind: "one", files: [names[0]] });
  await expect(find({ config: "smal" })).rejects.toThrow(
    'owner/name has no configuration "smal"; did you mean "small"?; its configurations: small, large',
  );
});

test("where there are no files that petl reads, those count that the hub made of them", async () => {
  trial.hub.files = { "name.py": text("code") };
  await expect(find()).rejects.toThrow("has no file that petl reads");
  trial.hub.branch = "refs/convert/parquet";
  let listings = 0;
  trial.hub.files = { "default/train/0000.parquet": text("code") };
  trial.hub.listing = (entries) =>
    listings++ === 0 ? entries.map((entry) => ({ ...entry, path: "name.py" })) : entries;
  expect((await find()).files).toMatchObject({ splits: { train: ["default/train/0000.parquet"] } });
  expect((await find({}, { offline: true })).files).toMatchObject({
    splits: { train: ["default/train/0000.parquet"] },
  });
});

test("a data set that is not there, or not reached, ends with its name and what to do", async () => {
  await expect(find({}, { offline: true })).rejects.toThrow(/the data set "owner\/name" .* isn't in the cache/);
  trial.hub.intercept = (_, response) => {
    response.writeHead(404, { "x-error-code": "RepoNotFound" }).end("{}");
    return true;
  };
  await expect(find()).rejects.toThrow('the hub has no data set "owner/name" at revision "main"');
  await expect(find({}, { endpoint: "http://127.0.0.1:9" })).rejects.toThrow(MachineError);
});

test("names that lead out of the folder refuse the listing", async () => {
  trial.hub.files = { "train.csv": text("text,label\n") };
  for (const path of ["../../up.csv", "data//x.csv", "a/../../b.csv", "/etc/x.csv", "a\\b.csv"]) {
    trial.hub.listing = (entries) => entries.map((entry) => ({ ...entry, path }));
    await expect(find()).rejects.toThrow("refused");
  }
});
