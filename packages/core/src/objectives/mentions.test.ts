import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { tasks } from "./objectives.ts";

const packages = new URL("../../../", import.meta.url);

/** Where the code names a task, and why it may; architectures and the table of heads name heads, which are called alike. */
const allowed: Readonly<Record<string, string>> = {
  "core/src/nn/model.ts": "the table of heads",
  "core/src/data/rows/task.ts": "which task labels speak for",
  "core/src/adapters/inferred-base.ts": "the head that tensors' names speak for",
  "core/src/adapters/foreign/gguf/gguf.ts": "the format is of decoders",
  "core/src/adapters/foreign/mlx.ts": "the format is of decoders",
  "core/src/adapters/foreign/adapterhub/adapterhub-head.ts": "the library's own word for a head",
  "core/src/checkpoints/untrained.ts": "the pooler is a part of this head alone",
  "core/src/library/open-data.ts": "the task that rows' labels speak for, as a type",
  "core/src/library/model-card.ts": "a card says what Python calls for each head",
  "core/src/library/predict.ts": "answers of several labels and numbers are types of their own",
  "petl/src/pretraining/model-config.ts": "what each architecture is pre-trained for",
  "petl/src/cli/generate.ts": "what goes on with texts",
  "petl/src/cli/chat.ts": "what goes on with texts",
  "petl/src/demo/forgetting.ts": "what the demo's base was pre-trained for",
};

test("no file names a task but the objectives and those with a reason", () => {
  const named = new RegExp(tasks.map((task) => `"${task}"`).join("|"));
  const found = ["core/src/", "petl/src/"].flatMap((folder) =>
    readdirSync(new URL(folder, packages), { recursive: true, encoding: "utf8" })
      .map((file) => `${folder}${file.replaceAll("\\", "/")}`)
      .filter((file) => file.endsWith(".ts") && !/\.(test|fake|d)\.ts$|\/objectives\/|\/models\//.test(file))
      .filter((file) => named.test(readFileSync(new URL(file, packages), "utf8"))),
  );
  expect(found.sort()).toEqual(Object.keys(allowed).sort());
});
