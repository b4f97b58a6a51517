import { expect, test } from "vitest";
import type { Role } from "../nn/scope.ts";
import { zeros } from "../peft/parameter.ts";
import { layOut, type Placed } from "../peft/phi.ts";
import { optimizerGroups } from "./groups.ts";
import { parseSettings } from "./settings.ts";

const tensor = (role: Role, part: Placed["part"] = "base") =>
  ({
    name: `${part} ${role}`,
    shape: [2],
    role,
    part,
    layer: undefined,
    stored: undefined,
    method: undefined,
    initial: zeros,
  }) as const;

/** The decay of each of Φ's numbers, and the factor of its rate. */
function numbersOf(settings: object, layout: readonly Placed[]) {
  const groups = optimizerGroups(layout, parseSettings(settings));
  const of = <T>(get: (group: (typeof groups)[number]) => T) =>
    groups.flatMap((group) => Array.from({ length: group.end - group.start }, () => get(group)));
  return { decay: of(({ weightDecay }) => weightDecay), rate: of(({ rate }) => rate) };
}

const roles = ["weight", "bias", "norm", "norm-bias", "head-norm", "table"] as const;

test.each([
  [
    ["bias", "norm"],
    [0.1, 0, 0, 0, 0, 0.1],
  ],
  [["norm"], [0.1, 0.1, 0, 0, 0, 0.1]],
  [["bias"], [0.1, 0, 0.1, 0, 0.1, 0.1]],
] as const)("without decay of %j, weights of each role decay by %j", (noDecay, wanted) => {
  const layout = layOut(roles.map((role) => tensor(role)));
  const { decay } = numbersOf({ weightDecay: 0.1, noDecay: noDecay.join(",") }, layout);
  expect(decay).toEqual(wanted.flatMap((each) => [each, each]));
});

test("the head's own rate moves the head alone", () => {
  const { rate } = numbersOf({ lr: 0.01, headLr: 0.002 }, layOut([tensor("weight"), tensor("weight", "head")]));
  expect(rate).toEqual([1, 1, 0.2, 0.2]);
});
