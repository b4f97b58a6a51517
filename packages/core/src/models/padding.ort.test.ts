import { describe, expect, test } from "vitest";
import { goldenBase, wholeArchitectures } from "../checkpoints/golden.fake.ts";
import { adapt } from "../peft/adapt.ts";
import { initialPhi } from "../peft/initial-phi.ts";
import { head } from "../peft/methods/head.ts";
import { tensorsOf } from "../peft/phi.ts";
import { nativeEngine, numbers } from "../runtime/native.fake.ts";
import { compile } from "../runtime/program.ts";
import { int32 } from "../tensor/host-tensor.ts";
import { random } from "../tensor/random.ts";
import { architectures } from "./models.ts";

const decoders = architectures.filter(({ classes }) => classes["causal-lm"] !== undefined);

type Text = readonly number[];
const stream = random(6, "padding");
const texts: readonly Text[] = [3, 2, 12, 7, 30, 8].map((length) =>
  Array.from({ length }, () => 2 + stream.integer(90)),
);

/** Texts padded on the right to one width with an id, so that a leak of it would show. */
function batchOf(rows: readonly Text[], width: number, filling: number) {
  const tensor = (padded: (row: Text) => readonly number[]) =>
    int32([rows.length, width], Int32Array.from(rows.flatMap((row) => padded(row))));
  const behind = (row: Text, fill: number) => Array.from({ length: width - row.length }, () => fill);
  return {
    input_ids: tensor((row) => [...row, ...behind(row, filling)]),
    attention_mask: tensor((row) => [...row.map(() => 1), ...behind(row, 0)]),
    token_type_ids: tensor((row) => [...row.map(() => 0), ...behind(row, 0)]),
  };
}

describe.each(wholeArchitectures)("%s", (modelType) => {
  test.each([
    ["classification", "sequence-classification", "default"],
    ["classification", "sequence-classification", "mean"],
    ["classification", "sequence-classification", "last"],
    ["token-classification", "token-classification", "default"],
  ] as const)("%s (%s, %s) of a text depends on no other text and on no padding", async (task, golden, pooling) => {
    const { base, path } = await goldenBase(`${modelType}-${golden}`);
    const labels = 3;
    const adapted = adapt(base, [head.use({})], { task, labels, pooling });
    const phi = tensorsOf(await initialPhi(adapted, 1));
    const program = await compile(nativeEngine(path), { logits: adapted.forward().logits });
    const run = async (rows: readonly Text[], width: number, filling = base.model.sizes.padId) => {
      const logits = numbers((await program.run({ ...phi, ...batchOf(rows, width, filling) })).logits!);
      const each = logits.length / rows.length;
      const read = (row: Text) => (task === "classification" ? each : row.length * labels);
      return rows.map((row, i) => logits.slice(i * each, i * each + read(row)));
    };
    const wanted = await run(texts, 30);
    for (const width of [31, 32, 48]) expect(await run(texts, width)).toEqual(wanted);
    expect(await run(texts, 40, 95)).toEqual(wanted);
    expect(await run([...texts].reverse(), 30)).toEqual([...wanted].reverse());
    for (const [i, text] of texts.entries()) {
      const other = texts[(i + 1) % texts.length]!;
      expect((await run([text, other], Math.max(text.length, other.length)))[0]).toEqual(wanted[i]);
      // alone, a head's product has one row and is summed by the kernel for vectors, in another order
      const [alone] = await run([text], text.length);
      alone!.forEach((logit, k) => {
        expect(Math.abs(logit - wanted[i]![k]!)).toBeLessThan(2e-6);
      });
    }
    await program.release();
  });
});

test.each(decoders.map(({ modelType }) => modelType))(
  "%s: padding in front of a text leaves its logits as padding behind it does",
  async (modelType) => {
    const { base, path } = await goldenBase(`${modelType}-causal-lm`);
    const adapted = adapt(base, [], { task: "causal-lm", labels: 1 });
    const program = await compile(nativeEngine(path), { logits: adapted.forward().logits });
    const width = 30;
    const right = batchOf(texts, width, 0);
    const turned = (name: keyof typeof right) => {
      const { data } = right[name];
      const rows = texts.flatMap(({ length }, i) => {
        const row = Array.from(data.slice(i * width, (i + 1) * width), Number);
        return [...row.slice(length), ...row.slice(0, length)];
      });
      return int32([texts.length, width], Int32Array.from(rows));
    };
    const left = { input_ids: turned("input_ids"), attention_mask: turned("attention_mask") };
    const read = async (batch: Parameters<typeof program.run>[0]) => numbers((await program.run(batch)).logits!);
    const [behind, front] = [await read(right), await read(left)];
    const size = behind.length / (texts.length * width);
    for (const [i, { length }] of texts.entries()) {
      const at = (token: number) => (i * width + token) * size;
      const [a, b] = [behind.slice(at(0), at(length)), front.slice(at(width - length), at(width))];
      // the same numbers, summed with the padding's zeros at other places
      expect(Math.max(...a.map((value, k) => Math.abs(value - b[k]!)))).toBeLessThan(1e-5);
    }
    await program.release();
  },
);
