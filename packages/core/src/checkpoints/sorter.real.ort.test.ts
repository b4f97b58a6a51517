import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { safetensorsBytes } from "../containers/safetensors-writer.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { float32, type HostTensor } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { transposedValues } from "../tensor/transposed-values.ts";
import { diskFolder, distance, logitsOf } from "./golden.fake.ts";
import { readBase } from "./hf-model.ts";

// minGPT's model that sorts six letters of three; it is no part of this repository
const root = fileURLToPath(new URL("../../../../../shared/data/checkpoints/gpt-nano-sort/", import.meta.url));
const json = (name: string) => JSON.parse(readFileSync(join(root, name), "utf8"));

const floats = ({ data }: { readonly data: string }): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  return new Float32Array(bytes.buffer);
};

/** As Hugging Face's GPT-2: the same names, linear layers as [in, out], without the masks. */
function sorterFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "petl-sorter-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { config, ...stored } = json("gpt-nano-sort-model.json");
  const tensors = Object.entries(stored as Record<string, { shape: number[]; data: string }>).flatMap(
    ([name, tensor]): [string, HostTensor][] => {
      const [rows = 1, columns = 1] = tensor.shape;
      if (name.endsWith(".attn.bias")) return [];
      if (!/(c_attn|c_proj|c_fc)\.weight$/.test(name)) return [[name, float32(tensor.shape, floats(tensor))]];
      return [[name, float32([columns, rows], transposedValues(floats(tensor), rows, columns))]];
    },
  );
  const { n_layer, n_head, n_embd, vocab_size, block_size: n_positions } = config;
  const sizes = { n_layer, n_head, n_embd, vocab_size, n_positions, tie_word_embeddings: false };
  const kind = { model_type: "gpt2", architectures: ["GPT2LMHeadModel"], activation_function: "gelu_new" };
  writeFileSync(join(folder, "config.json"), JSON.stringify({ ...kind, ...sizes }));
  writeFileSync(join(folder, "model.safetensors"), safetensorsBytes(tensors));
  return folder;
}

const real = test.skipIf(!existsSync(root));

async function logitsFor(rows: readonly (readonly number[])[]) {
  const folder = sorterFolder();
  const base = await readBase(diskFolder(folder));
  const adapted = adapt(base, [], { task: "causal-lm", labels: 1, trainsHead: false });
  const phi = await initialPhi(adapted, 0);
  return logitsOf(
    adapted,
    phi,
    rows.map((input_ids) => ({ input_ids })),
    folder,
  );
}

real("minGPT's sorter has the logits that minGPT computed", async () => {
  const partials = json("gpt-nano-sort-t0-partials.json");
  const ids = floats(partials.idx);
  const rows = [0, 1, 2].map((row) => Array.from({ length: 11 }, (_, at) => ids[row * 11 + at] ?? 0));
  const wanted = floats(partials.lm_head);
  const got = (await logitsFor(rows)).map((row) => [...row]);
  // float32 sums in another order than torch's; logits are about 10
  expect(
    distance(
      got,
      [0, 1, 2].map((row) => [...wanted.subarray(row * 33, (row + 1) * 33)]),
    ),
  ).toBeLessThan(1e-4);
});

real("minGPT's sorter sorts 50 drawn inputs", async () => {
  const draw = random(1, "letters");
  const inputs = Array.from({ length: 50 }, () => Array.from({ length: 6 }, () => draw.integer(3)));
  const sorted = inputs.map((letters) => letters.toSorted());
  const logits = await logitsFor(inputs.map((letters, at) => [...letters, ...(sorted[at] ?? []).slice(0, 5)]));
  const answers = logits.map((row) =>
    [5, 6, 7, 8, 9, 10].map((at) => {
      const scores = row.slice(3 * at, 3 * at + 3);
      return scores.indexOf(Math.max(...scores));
    }),
  );
  expect(answers).toEqual(sorted);
});
