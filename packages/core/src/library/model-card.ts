import type { Label } from "../data/rows/examples.ts";
import { type Head, heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { countParameters } from "../peft/counts.ts";
import type { Evaluation } from "../training/evaluate.ts";
import { plainMarkdown, quoted, shellWord } from "./card-text.ts";

/** How an adapter was trained, as far as it is known where it is saved. */
export interface TrainingFacts {
  /** SHA-256 of the rows trained on and evaluated on */
  readonly dataSha256?: string | undefined;
  /** rows that were trained on */
  readonly rows?: number | undefined;
  readonly settings?: Readonly<Record<string, unknown>> | undefined;
  /** of what was saved, on rows that were held out */
  readonly evaluation?: Evaluation | null | undefined;
}

/** What a card is about. */
export interface CardSubject {
  readonly adapted: AdaptedModel;
  readonly labels: readonly Label[];
  readonly baseName: string;
  /** how its files are laid out */
  readonly layout: "peft" | "petl" | "checkpoint";
}

/** Names of Python's classes and pipelines for a head. */
const python: Readonly<Record<Head, { readonly model: string; readonly pipeline: string }>> = {
  classification: { model: "AutoModelForSequenceClassification", pipeline: "text-classification" },
  "token-classification": { model: "AutoModelForTokenClassification", pipeline: "token-classification" },
  "masked-lm": { model: "AutoModelForMaskedLM", pipeline: "fill-mask" },
  "causal-lm": { model: "AutoModelForCausalLM", pipeline: "text-generation" },
};

const libraries = { peft: "peft", petl: "petl", checkpoint: "transformers" } as const;

/** A part of a card: a table, a sentence, or lines of a language. */
export type CardPart =
  | { readonly heading: string }
  | { readonly sentence: string }
  | { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly language: string; readonly code: string };

/** What a card says, in order: what the adapter stands on, how it was trained, what it is worth, how it is loaded. */
export function cardParts(subject: CardSubject, facts: TrainingFacts = {}): readonly CardPart[] {
  return [
    { columns: ["what", "value"], rows: subjectRows(subject, methodOf(subject)) },
    ...trainingPart(facts),
    ...scorePart(facts.evaluation),
    { heading: "How to load it" },
    ...loading(subject, objectiveOf(subject.adapted.goal.task).head),
  ];
}

const methodOf = ({ adapted }: CardSubject): string => adapted.methods.map(({ name }) => name).join("+");

/**
 * The README.md of an adapter's folder: what {@link cardParts} says. Names come from anyone, so that each is written as text
 * that no reader of Markdown takes for anything else; the same adapter always gets the same card.
 */
export function modelCard(subject: CardSubject, facts: TrainingFacts = {}): string {
  const { adapted, baseName, layout } = subject;
  const { head } = objectiveOf(adapted.goal.task);
  const front = [
    "---",
    `base_model: ${quoted(baseName)}`,
    `library_name: ${libraries[layout]}`,
    `pipeline_tag: ${python[head].pipeline}`,
    "tags:\n- petl",
    `- ${methodOf(subject)}`,
    "---",
  ];
  const title = `# ${methodOf(subject)} on ${plainMarkdown(baseName)}`;
  return `${[front.join("\n"), title, ...cardParts(subject, facts).map(markdown)].join("\n\n")}\n`;
}

function markdown(part: CardPart): string {
  if ("heading" in part) return `## ${part.heading}`;
  if ("sentence" in part) return part.sentence;
  if ("code" in part) return `\`\`\`${part.language}\n${part.code}\n\`\`\``;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(part.columns),
    line(part.columns.map(() => "---")),
    ...part.rows.map((cells) => line(cells.map(plainMarkdown))),
  ].join("\n");
}

function subjectRows({ adapted, labels, layout }: CardSubject, method: string): readonly (readonly string[])[] {
  const { base_parameters, trained_parameters, head_parameters, trainable_ratio } = countParameters(adapted);
  const { goal, methods } = adapted;
  const pooling = ownPooling(adapted);
  const { hasClasses } = objectiveOf(goal.task);
  const options = methods.flatMap(({ name, options: values }) =>
    Object.entries(values).map(([option, value]) => [`${name}: ${option}`, valueText(value)]),
  );
  return [
    ["method", method],
    ["task", goal.task],
    ...(hasClasses ? [["labels, in the order of their ids", labels.map(String).join(", ")]] : []),
    ...(pooling === undefined ? [] : [["pooling", pooling]]),
    ["parameters of the base", String(base_parameters)],
    [
      "parameters trained",
      `${trained_parameters} (${(100 * trainable_ratio).toPrecision(3)} % of the base), and ${head_parameters} of the head`,
    ],
    ...options,
    ["files", fileWords[layout](adapted)],
  ];
}

const fileWords: Readonly<Record<CardSubject["layout"], (adapted: AdaptedModel) => string>> = {
  peft: () => "adapter_config.json and adapter_model.safetensors, as Hugging Face's PEFT has them",
  petl: (adapted) =>
    `adapter_config.json and adapter_model.safetensors; ${unlikePeft(adapted)}, so petl alone reads them`,
  checkpoint: () => "an ordinary Hugging Face checkpoint of the whole model",
};

/** The pooling of a head that none of Hugging Face's classes has; undefined of theirs. */
const ownPooling = ({ goal: { pooling } }: AdaptedModel) => (pooling === "default" ? undefined : pooling);

/** Why PEFT does not read an adapter in petl's own layout. */
function unlikePeft(adapted: AdaptedModel): string {
  const pooling = ownPooling(adapted);
  return pooling === undefined
    ? "PEFT has no such method or head"
    : `the head reads pooling "${pooling}", which Hugging Face's classes have not`;
}

function trainingPart({ dataSha256, rows, settings }: TrainingFacts): readonly CardPart[] {
  const told = [
    ...(rows === undefined ? [] : [["rows trained on", String(rows)]]),
    ...(dataSha256 === undefined ? [] : [["SHA-256 of the rows", dataSha256]]),
    ...Object.entries(settings ?? {}).map(([name, value]) => [name, valueText(value)]),
  ];
  return told.length === 0 ? [] : [{ heading: "How it was trained" }, { columns: ["what", "value"], rows: told }];
}

function scorePart(evaluation: Evaluation | null | undefined): readonly CardPart[] {
  const heading = { heading: "What it is worth" };
  if (!evaluation) return [heading, { sentence: "It was not measured on rows that were held out." }];
  const { accuracy_interval: interval, majority, per_class: classes = [] } = evaluation;
  const numbers = Object.entries(evaluation).flatMap(([name, value]) =>
    typeof value === "number" ? [[name, digits(value)]] : [],
  );
  const rows = [
    ...numbers,
    ...(interval ? [["accuracy, 95 % interval", interval.map(digits).join(" to ")]] : []),
    ...(majority ? [["accuracy of the most frequent label", digits(majority.accuracy)]] : []),
  ];
  const scores = mostFrequent(classes).map(({ label, precision, recall, f1, support }) => [
    String(label),
    ...[precision, recall, f1].map(digits),
    String(support),
  ]);
  return [
    heading,
    { sentence: "Measured on rows that were held out." },
    { columns: ["measure", "value"], rows },
    ...(scores.length === 0 ? [] : [{ columns: ["label", "precision", "recall", "f1", "support"], rows: scores }]),
    ...(scores.length < classes.length ? [{ sentence: `Of ${classes.length} labels the most frequent.` }] : []),
  ];
}

/** Classes that a table for people shows. */
const mostClasses = 50;

/** Of many classes those with the most rows, in their own order. */
export function mostFrequent<C extends { readonly support: number }>(classes: readonly C[]): readonly C[] {
  const bySupport = [...classes].sort((a, b) => b.support - a.support);
  const kept = new Set(bySupport.slice(0, mostClasses));
  return classes.filter((one) => kept.has(one));
}

const folder = "path/to/this/folder";

function loading(subject: CardSubject, head: Head): readonly CardPart[] {
  const { baseName } = subject;
  const { goesOn } = heads[head];
  const [verb, asked] = goesOn
    ? ["generate", ' --prompt "Once"']
    : head === "masked-lm"
      ? ["evaluate", " --data DATA"]
      : ["predict", ' --text "…"'];
  const merged = `petl merge --base ${shellWord(baseName)} --adapter ${folder} --to onnx${goesOn ? "-with-past" : ""} --out my-onnx-model`;
  return [
    { sentence: "With petl:" },
    {
      language: "sh",
      code: `petl ${verb} --base ${shellWord(baseName)} --adapter ${folder}${asked}`,
    },
    { language: "ts", code: inTypeScript(baseName, head) },
    { sentence: "In Python:" },
    inPython(subject, head),
    { sentence: "With transformers.js, after `petl merge` has written one ONNX file:" },
    { language: "sh", code: merged },
    {
      language: "js",
      code: `import { env, pipeline } from ${quoted("@huggingface/transformers")};\n\nenv.localModelPath = "/models/"; // where my-onnx-model lies\nconst ask = await pipeline("${python[head].pipeline}", "my-onnx-model");`,
    },
  ];
}

function inTypeScript(baseName: string, head: Head): string {
  const answer = heads[head].goesOn ? "complete" : "predict";
  const names = head === "masked-lm" ? "loadAdapter, openBase" : `${answer}, loadAdapter, openBase`;
  const lines = [
    `import { ${names} } from ${quoted("petl")};\n`,
    `const base = await openBase(${quoted(baseName)});`,
    `const model = await loadAdapter(base, ${quoted(folder)});`,
    ...(head === "masked-lm" ? [] : [`console.log(await ${answer}(model, ["…"]));`]),
    "await base.close();",
  ];
  return lines.join("\n");
}

function inPython({ adapted, labels, baseName, layout }: CardSubject, head: Head): CardPart {
  const { model } = python[head];
  const count = heads[head].from === "labels" ? `, num_labels=${labels.length}` : "";
  switch (layout) {
    case "petl":
      return { sentence: besidesPeft(adapted) };
    case "checkpoint":
      return {
        language: "python",
        code: `from transformers import ${model}\n\nmodel = ${model}.from_pretrained(${quoted(folder)})`,
      };
    case "peft":
      return {
        language: "python",
        code: `from peft import PeftModel\nfrom transformers import ${model}\n\nbase = ${model}.from_pretrained(${quoted(baseName)}${count})\nmodel = PeftModel.from_pretrained(base, ${quoted(folder)})`,
      };
  }
}

/** What there is for Python in the place of PEFT. */
function besidesPeft(adapted: AdaptedModel): string {
  const why = sentenceOf(unlikePeft(adapted));
  return ownPooling(adapted) === undefined
    ? `${why}; \`petl merge\` writes a checkpoint or an ONNX file, where the method can be merged.`
    : `${why}; \`petl merge --to onnx\` writes a file that ONNX Runtime computes alone. An adapter that is trained with \`--pooling default\` is read by PEFT, where PEFT has its method.`;
}

const sentenceOf = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

const digits = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(4));

const valueText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "unset"));
