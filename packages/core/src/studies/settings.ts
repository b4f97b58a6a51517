import { choice, count, textList } from "../settings/setting.ts";
import { budgetSizes } from "./recipes.ts";
import { budgets } from "./study.ts";

/** What each budget takes where nothing is said, in words. */
const byBudget = (of: (size: (typeof budgetSizes)[keyof typeof budgetSizes]) => number | undefined): string =>
  budgets.map((budget) => `${budget}: ${of(budgetSizes[budget]) ?? "all"}`).join(", ");

/** How large a study is, and what it looks at. */
export const studySettings = {
  seeds: count(undefined, "trainings of every cell, each with a seed of its own", {
    otherwise: byBudget(({ seeds }) => seeds),
  }),
  budget: choice(budgets, "quick", "how long and how finely it looks"),
  trainRows: count(undefined, "training rows that are drawn by seed 0; fewer are a part of more", {
    otherwise: byBudget(({ rows }) => rows),
  }),
  methods: textList("NAMES", "methods to look at, joined by commas", {
    form: "NAME, several joined by commas",
    otherwise: "the study's own",
  }),
  parameters: count(
    undefined,
    "compare: the most that each method trains, the head not counted; sizes are chosen to come near it",
  ),
};
