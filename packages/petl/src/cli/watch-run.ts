import type { Watch } from "../runs/store-run.ts";
import { figures } from "./evaluation-report.ts";
import type { Context } from "./verb.ts";

/** Shows a run's events. */
export function watchRun({ terminal, signal }: Pick<Context, "terminal" | "signal">): Watch {
  signal.addEventListener("abort", () => terminal.line("ending: the step under way is finished and saved first"), {
    once: true,
  });
  let steps = 0;
  let begin: { readonly step: number; readonly tokens: number; readonly seconds: number } | undefined;
  return {
    remark: (text) => terminal.line(text),
    onEvent(event, seconds) {
      if (event.kind === "start") ({ steps } = event);
      if (event.kind === "evaluation") {
        const { examples, ...scores } = event.evaluation;
        const shown = figures(scores).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
        terminal.line(`step ${event.step}: ${shown.join("  ")}  (${examples} examples)`);
      }
      if (event.kind !== "step") return;
      const { step, loss, tokens } = event;
      begin ??= { step, tokens, seconds }; // of a resumed run its first step here, so that only this process is measured
      const passed = seconds - begin.seconds;
      const rates = passed > 0 && {
        tokensPerSecond: (tokens - begin.tokens) / passed,
        secondsLeft: ((steps - step) * passed) / (step - begin.step),
      };
      terminal.progress({ step, steps, loss, ...rates });
    },
  };
}
