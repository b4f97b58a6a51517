import type { Label } from "../data/rows/examples.ts";
import { type Head, heads } from "../nn/model.ts";
import { objectiveOf } from "../objectives/objectives.ts";
import type { AdaptedModel } from "../peft/adapt.ts";
import { countParameters } from "../peft/counts.ts";
import type { Evaluation } from "../training/evaluate.ts";
import { escaped, quoted, shellWord } from "./card-text.ts";

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

/**
 * The README.md of an adapter's folder: what it stands on, what it was trained on and how, what it is worth, how it is
 * loaded. Names come from anyone, so that each is written as text that no reader of Markdown takes for anything else; the
 * same adapter always gets the same card.
 */
export function modelCard(subject: CardSubject, facts: TrainingFacts = {}): string {
  const { adapted, baseName, layout } = subject;
  const { head } = objectiveOf(adapted.goal.task);
  const method = adapted.methods.map(({ name }) => name).join("+");
  const parts = [
    "---",
    `base_model: ${quoted(baseName)}`,
    `library_name: ${libraries[layout]}`,
    `pipeline_tag: ${python[head].pipeline}`,
    "tags:\n- petl",
    `- ${method}`,
    "---\n",
    `# ${method} on ${escaped(baseName)}\n`,
    table(["what", "value"], subjectRows(subject, method)),
    ...trainingPart(facts),
    ...scorePart(facts.evaluation),
    "## How to load it\n",
    loading(subject, head),
  ];
  return `${parts.join("\n").trimEnd()}\n`;
}

function subjectRows({ adapted, labels, layout }: CardSubject, method: string): readonly (readonly string[])[] {
  const { base_parameters, trained_parameters, head_parameters, trainable_ratio } = countParameters(adapted);
  const { goal, methods } = adapted;
  const { hasClasses } = objectiveOf(goal.task);
  const options = methods.flatMap(({ name, options }) =>
    Object.entries(options).map(([option, value]) => [`${name}: ${option}`, valueText(value)]),
  );
  return [
    ["method", method],
    ["task", goal.task],
    ...(hasClasses ? [["labels, in the order of their ids", labels.map(String).join(", ")]] : []),
    ...(goal.pooling && goal.pooling !== "default" ? [["pooling", goal.pooling]] : []),
    ["parameters of the base", String(base_parameters)],
    [
      "parameters trained",
      `${trained_parameters} (${(100 * trainable_ratio).toPrecision(3)} % of the base), and ${head_parameters} of the head`,
    ],
    ...options,
    ["files", fileWords[layout]],
  ];
}

const fileWords = {
  peft: "adapter_config.json and adapter_model.safetensors, as Hugging Face's PEFT has them",
  petl: "adapter_config.json and adapter_model.safetensors; PEFT has no such method or head, so petl alone reads them",
  checkpoint: "an ordinary Hugging Face checkpoint of the whole model",
} as const;

function trainingPart({ dataSha256, rows, settings }: TrainingFacts): readonly string[] {
  const told = [
    ...(rows === undefined ? [] : [["rows trained on", String(rows)]]),
    ...(dataSha256 === undefined ? [] : [["SHA-256 of the rows", dataSha256]]),
    ...Object.entries(settings ?? {}).map(([name, value]) => [name, valueText(value)]),
  ];
  return told.length === 0 ? [] : ["## How it was trained\n", table(["what", "value"], told)];
}

function scorePart(evaluation: Evaluation | null | undefined): readonly string[] {
  if (!evaluation) return ["## What it is worth\n", "It was not measured on rows that were held out.\n"];
  const { accuracy_interval: interval, majority, per_class: classes = [] } = evaluation;
  const numbers = Object.entries(evaluation).flatMap(([name, value]) =>
    typeof value === "number" ? [[name, digits(value)]] : [],
  );
  return [
    "## What it is worth\n",
    "Measured on rows that were held out.\n",
    table(
      ["measure", "value"],
      [
        ...numbers,
        ...(interval ? [["accuracy, 95 % interval", interval.map(digits).join(" to ")]] : []),
        ...(majority ? [["accuracy of the most frequent label", digits(majority.accuracy)]] : []),
      ],
    ),
    ...(classes.length === 0
      ? []
      : [
          table(
            ["label", "precision", "recall", "f1", "support"],
            classes.map(({ label, precision, recall, f1, support }) => [
              String(label),
              ...[precision, recall, f1].map(digits),
              String(support),
            ]),
          ),
        ]),
  ];
}

function loading({ adapted, labels, baseName, layout }: CardSubject, head: Head): string {
  const folder = "path/to/this/folder";
  const verb = heads[head].goesOn
    ? `generate --prompt "Once"`
    : head === "masked-lm"
      ? "evaluate --data DATA"
      : `predict --text "…"`;
  const answer = heads[head].goesOn ? "complete" : "predict";
  const asked = head === "masked-lm" ? "" : `console.log(await ${answer}(model, ["…"]));\n`;
  const [name, ...flags] = verb.split(" ");
  return [
    `With petl:\n\n${code("sh", `petl ${name} --base ${shellWord(baseName)} --adapter ${folder} ${flags.join(" ")}`)}`,
    code(
      "ts",
      `import { loadAdapter, openBase, ${answer} } from ${quoted("petl")};\n\nawait using base = await openBase(${quoted(baseName)});\nconst model = await loadAdapter(base, ${quoted(folder)});\n${asked}`.trimEnd(),
    ),
    `In Python:\n\n${inPython({ adapted, labels, baseName, layout }, head, folder)}`,
    `With transformers.js, after \`petl merge\` has written one ONNX file:\n\n${code("sh", `petl merge --base ${shellWord(baseName)} --adapter ${folder} --to onnx${heads[head].goesOn ? "-with-past" : ""} --out my-onnx-model`)}`,
    code(
      "js",
      `import { env, pipeline } from ${quoted("@huggingface/transformers")};\n\nenv.localModelPath = "/models/"; // where my-onnx-model lies\nconst ask = await pipeline("${python[head].pipeline}", "my-onnx-model");`,
    ),
  ].join("\n");
}

function inPython({ labels, baseName, layout }: CardSubject, head: Head, folder: string): string {
  const { model } = python[head];
  const count = heads[head].from === "labels" ? `, num_labels=${labels.length}` : "";
  switch (layout) {
    case "petl":
      return "PEFT has no such method or head; `petl merge` writes a checkpoint or an ONNX file, where the method can be merged.\n";
    case "checkpoint":
      return code("python", `from transformers import ${model}\n\nmodel = ${model}.from_pretrained("${folder}")`);
    case "peft":
      return code(
        "python",
        `from peft import PeftModel\nfrom transformers import ${model}\n\nbase = ${model}.from_pretrained(${quoted(baseName)}${count})\nmodel = PeftModel.from_pretrained(base, "${folder}")`,
      );
  }
}

const code = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

const digits = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(4));

const valueText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "unset"));

/** A table of Markdown whose cells are only text. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return `${[line(head), line(head.map(() => "---")), ...rows.map((cells) => line(cells.map(escaped)))].join("\n")}\n`;
}
