import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { layers } from "../../petl/src/layers.ts";
import { importCircles } from "./import-circles.fake.ts";

const packages = fileURLToPath(new URL("../../", import.meta.url));
const slashed = (path: string) => path.split(sep).join("/");

/** Every source of both packages by its path below packages/, tests among them. */
const sources: ReadonlyMap<string, string> = new Map(
  ["core/src", "petl/src"].flatMap((folder) =>
    readdirSync(join(packages, folder), { recursive: true, encoding: "utf8" })
      .map((file) => `${folder}/${slashed(file)}`)
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
      .map((file) => [file, readFileSync(join(packages, file), "utf8")] as const),
  ),
);
const isTest = (file: string) => /\.(test|fake)\.ts$/.test(file);
const built = [...sources].filter(([file]) => !isTest(file));

/** What a file exports: its kind and its name. */
const declarations = /^export (?:async )?(const|function\*?|interface|type|class) ?(\w+)/gm;

/** What a file takes from others of the packages: the other's path and the name, `*` for all. */
function* takenBy(file: string, text: string): Generator<readonly [string, string]> {
  const target = (specifier: string) => slashed(relative(packages, join(packages, dirname(file), specifier)));
  for (const [, names = "", specifier = ""] of text.matchAll(
    /^(?:import|export)\s+(?:type\s+)?(?:\w+,\s*)?\{([^}]*)\}\s+from\s+"(\.[^"]+)"/gm,
  )) {
    for (const name of names.split(","))
      yield [
        target(specifier),
        name
          .trim()
          .replace(/^type /, "")
          .split(" as ")[0] ?? "",
      ];
  }
  const whole = [
    ...text.matchAll(/^(?:import|export)\s+\*(?:\s+as\s+\w+)?\s+from\s+"(\.[^"]+)"/gm),
    ...text.matchAll(/\bimport\(\s*"(\.[^"]+)"/g),
  ];
  for (const [, specifier = ""] of whole) yield [target(specifier), "*"];
}

/** What no file takes though it is exported, and why. Types may stand where another export of their file names them. */
const untaken: Readonly<Record<string, string>> = {};

test("every export is taken by another file, or is a type that another export of its file is made of", () => {
  const taken = new Set([...sources].flatMap(([file, text]) => [...takenBy(file, text)].map((pair) => pair.join(" "))));
  const doors = ["core/src/index.ts", "core/src/engine.ts", "petl/src/index.ts"];
  const exported = built.flatMap(([file, text]) =>
    [...text.matchAll(declarations)].map(([, kind = "", name = ""]) => ({
      file,
      name,
      named: /interface|type/.test(kind) && used(name, text),
    })),
  );
  expect(exported.length).toBeGreaterThan(1000);
  const found = exported.filter(
    ({ file, name, named }) =>
      !named && !doors.includes(file) && !taken.has(`${file} ${name}`) && !taken.has(`${file} *`),
  );
  expect(found.map(({ file, name }) => `${file} ${name}`)).toEqual(Object.keys(untaken));
});

/** Whether a name stands in a file a second time. */
const used = (name: string, text: string): boolean => text.split(new RegExp(`\\b${name}\\b`)).length > 2;

/** Names that two files export, and why: everywhere else a name is of one thing. */
const twins: Readonly<Record<string, string>> = {
  OpenBase: "Node's, which is opened by name and folder",
  OpenDataOptions: "Node's, for paths and data sets of the hub",
  TrainUser: "Node's, whose data may be a path",
  compare: "the verb, and the study of this name",
  layers: "the rooms of either package",
  loadAdapter: "Node's, which reads folders and the hub",
  openBase: "Node's, which opens names and folders",
  openData: "Node's, which opens paths and the hub",
  plan: "Node's, which reads bases by their names",
  sigmoid: "the operator, and the same function of numbers",
  softmax: "the operator, and the same function of numbers",
  trainMany: "Node's, whose data may be a path",
};

test("a name is exported by one file alone but for methods, which are functions of programs too, and those with a reason", () => {
  const places = new Map<string, Set<string>>();
  for (const [file, text] of built)
    for (const [, , name = ""] of text.matchAll(declarations))
      places.set(name, (places.get(name) ?? new Set()).add(file));
  const found = [...places].filter(([, files]) => files.size > (files.has("core/src/library/methods.ts") ? 2 : 1));
  expect(found.map(([name]) => name).sort()).toEqual(Object.keys(twins).sort());
});

/** Where a pattern is held against tensors' names, how often, and why it may; layouts of other programs are names. */
const patterns: Readonly<Record<string, readonly [count: number, reason: string]>> = {
  "core/src/adapters/adapter-on-base.ts": [
    1,
    "what PEFT's methods add beside a head is no head; no method is known yet",
  ],
  "core/src/exports/merged.ts": [2, "checkpoints from before 2020 call the tensors of norms gamma and beta"],
  "core/src/exports/onnx-file.ts": [1, "factors of any rank: the method's own names"],
  "core/src/peft/base.ts": [2, "checkpoints from before 2020 call the tensors of norms gamma and beta"],
  "core/src/peft/methods/bottleneck/parallel.ts": [1, "the method's own names"],
  "core/src/peft/methods/lora/adalora-config.ts": [1, "PEFT's keys of rank_pattern"],
  "core/src/peft/methods/lora/low-rank.ts": [1, "the method's own names"],
  "core/src/peft/methods/lora/rank-allocation.ts": [1, "the method's own names"],
  "core/src/peft/methods/lora/twice-the-rank.ts": [1, "the method's own names"],
  "petl/src/cli/inspect-alone.ts": [2, "an adapter whose base is not at hand has nothing but names"],
};

/** Parts of Hugging Face's, PEFT's and petl's tensor names. */
const tensorWords = /weight|bias|lora_|ia3_|vera_|layer|proj\b|_lin\b|query|classifier|adapter_(?:up|down)|gamma/i;

test("patterns on tensors' names stand where files of others are read, or have a reason", () => {
  const ours = built.filter(([file]) => !file.startsWith("core/src/adapters/foreign/"));
  const found = ours.flatMap(([file, text]) => {
    const count = [
      ...text.matchAll(/(?<=[(,[=:!?&|>]\s*)\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/[dgimsuvy]*/g),
    ].filter(([, pattern = ""]) => /\\\.|_|\(/.test(pattern) && tensorWords.test(pattern)).length;
    return count > 0 ? [[file, count] as const] : [];
  });
  const known = Object.entries(patterns).map(([file, [count]]) => [file, count] as const);
  expect(Object.fromEntries(found)).toEqual(Object.fromEntries(known));
});

test("no file of the Node package imports itself by way of others when the code runs", () => {
  const next = new Map<string, readonly string[]>();
  for (const [file, text] of built) {
    const imports = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;"']*?\sfrom\s+)?"(\.[^"]+)"/gm);
    const typesAlone = (line: string) => /^import\s+\{(\s*type\s[^,{}]*,?)+\s*\}/.test(line);
    const targets = [...imports].flatMap(([line, specifier = ""]) =>
      typesAlone(line) ? [] : slashed(relative(packages, join(packages, dirname(file), specifier))),
    );
    next.set(file, targets);
  }
  const begins = built.map(([file]) => file).filter((file) => file.startsWith("petl/"));
  expect(importCircles(begins, next)).toEqual([]);
});

test("every import of the Node package goes through a door of its table, and every door is used", () => {
  const doors: Readonly<Record<string, readonly string[]>> = layers;
  const open = (room: string): readonly string[] => [room, ...(doors[room] ?? []).flatMap(open)];
  const inner = built.flatMap(([file, text]) =>
    file.startsWith("petl/")
      ? [...takenBy(file, text)].map(([to]) => ({ file, from: roomOf(file), to: roomOf(to) }))
      : [],
  );
  const between = inner.filter(({ from, to }) => from !== undefined && to !== undefined && from !== to);
  expect(Object.keys(doors).sort()).toEqual([...new Set(inner.flatMap(({ from }) => from ?? []))].sort());
  const wrong = between.filter(({ from = "", to = "" }) => !open(from).includes(to));
  expect(wrong.map(({ file, to }) => `${file} imports of ${to}`)).toEqual([]);
  const useless = Object.entries(doors).flatMap(([room, nexts]) =>
    nexts.filter((next) => !between.some(({ from, to }) => from === room && open(next).includes(to ?? ""))),
  );
  expect(useless).toEqual([]);
});

/** The room of a file of the Node package; undefined for those beside the rooms. */
const roomOf = (file: string): string | undefined => /^petl\/src\/([^/]+)\//.exec(file)?.[1];

test("no file has more than 400 lines", () => {
  const long = [...sources].filter(([file, text]) => !isTest(file) && text.split("\n").length > 400);
  expect(long.map(([file]) => file)).toEqual([]);
});

test("no literal object is spread into another: properties stand in the object that they are of", () => {
  const found = [...sources].filter(([, text]) => /\.\.\.\(*\{/.test(text));
  expect(found.map(([file]) => file)).toEqual([]);
});

/** Functions with more than five parameters, and why; a record of them has names. */
const manyParameters: Readonly<Record<string, string>> = {
  "core/src/tensor/philox.ts philox":
    "inside of the loop that draws: a record for each call would cost more than the call",
  "core/src/tensor/symmetric-eigen.ts reflect": "inside of the loop over a matrix's columns",
};

test("no function has more than five parameters but those with a reason", () => {
  const found = built.flatMap(([file, text]) =>
    [...text.matchAll(/^(?:export )?(?:async )?(?:function\*? (\w+)|const (\w+) = (?:async )?(?=\())/gm)].flatMap(
      (match) => {
        const [whole, declared, constant] = match;
        const open = text.indexOf("(", match.index + whole.length - (constant === undefined ? 0 : 1));
        return parametersAt(text, open) > 5 ? [`${file} ${declared ?? constant}`] : [];
      },
    ),
  );
  expect(found.sort()).toEqual(Object.keys(manyParameters).sort());
});

/** How many parameters stand behind an opening bracket. */
function parametersAt(text: string, open: number): number {
  let [depth, count, at] = [1, 0, open + 1];
  let begun = false;
  for (; depth > 0 && at < text.length; at++) {
    const sign = text[at] ?? "";
    if (/[([{]/.test(sign) || (sign === "<" && !/\s/.test(text[at + 1] ?? ""))) depth++;
    else if (/[)\]}]/.test(sign) || (sign === ">" && text[at - 1] !== "=" && text[at - 1] !== " ")) depth--;
    else if (sign === "," && depth === 1) {
      count += Number(begun);
      begun = false;
      continue;
    }
    begun ||= /\w/.test(sign);
  }
  return count + Number(begun);
}

/** Files of at most fifteen lines that one other file reads, and why they stand alone. */
const smallFiles: Readonly<Record<string, string>> = {
  "core/src/containers/chunks.ts": "tests of every room that writes files read it too",
  "core/src/data/rows/sentences.ts": "a rule with a law of its own",
  "core/src/data/tokenizer/truncation.ts": "Hugging Face's rule, whatever tokenizer asks",
  "core/src/peft/methods/head.ts": "a member of a list, which its folder is checked against",
};

test("no file of a few lines is read by one file alone but those with a reason", () => {
  const readers = new Map<string, Set<string>>();
  for (const [file, text] of built)
    for (const [, specifier = ""] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
      const target = slashed(relative(packages, join(packages, dirname(file), specifier)));
      readers.set(target, (readers.get(target) ?? new Set()).add(file));
    }
  const small = built.filter(([file, text]) => {
    const [reader, ...others] = readers.get(file) ?? [];
    const alone = reader !== undefined && others.length === 0 && !reader.endsWith("index.ts");
    return alone && text.trimEnd().split("\n").length <= 15;
  });
  expect(small.map(([file]) => file).sort()).toEqual(Object.keys(smallFiles).sort());
});

test("core's sentences name settings, not flags: commands stand in a model card alone", () => {
  const found = built.filter(([file, text]) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    return file.startsWith("core/") && /[\s(`"']--[a-z][a-z-]+(?![\w.])/.test(code);
  });
  expect(found.map(([file]) => file)).toEqual(["core/src/library/model-card.ts"]);
});
