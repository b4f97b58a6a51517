import type { Watch } from "../runs/execute.ts";
import type { Context } from "./verb.ts";

/** Shows a run's events, and ends it after the step under way on Ctrl-C. */
export function watchRun({ terminal, signal }: Context): Watch {
  let [steps, first, tokensBefore] = [0, 0, 0];
  return {
    stop: signal,
    remark: (text) => terminal.line(text),
    onEvent(event, seconds) {
      if (event.kind === "start") [steps, first] = [event.steps, seconds];
      if (event.kind === "evaluation") {
        const { examples, ...scores } = event.evaluation;
        const shown = Object.entries(scores).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
        terminal.line(`step ${event.step}: ${shown.join("  ")}  (${examples} examples)`);
      }
      if (event.kind !== "step") return;
      if (tokensBefore === 0) tokensBefore = event.tokens;
      const { step, loss } = event;
      const tokensPerSecond = event.tokens / Math.max(seconds, 1e-3);
      terminal.progress({
        step,
        steps,
        loss,
        tokensPerSecond,
        secondsLeft: ((steps - step) * (seconds - first)) / step,
      });
    },
  };
}
