import { InternalError } from "../../../errors.ts";
import { float32, float32Of, type HostTensor } from "../../../tensor/host-tensor.ts";
import type { Trained } from "../../method.ts";
import type { LowRank } from "./low-rank.ts";

/** The options with which factors of twice the rank have the same scale, alpha / rank or alpha / √rank. */
export function twiceTheRank<O extends LowRank>(options: O): O {
  const { rank, alpha, rankStabilized, rankPattern, alphaPattern } = options;
  const factor = rankStabilized ? Math.SQRT2 : 2;
  return {
    ...options,
    rank: 2 * rank,
    rankPattern: scaled(rankPattern, 2),
    alpha: factor * alpha,
    alphaPattern: scaled(alphaPattern, factor),
  };
}

const scaled = (patterns: Readonly<Record<string, number>>, factor: number) =>
  Object.fromEntries(Object.entries(patterns).map(([pattern, number]) => [pattern, factor * number]));

/** B A − B₀ A₀ as one product: [B −B₀] [A; A₀], each factor under its own name. */
export function besideTheirStarts({ tensors, starts }: Trained): Readonly<Record<string, HostTensor>> {
  return Object.fromEntries(
    Object.entries(starts).map(([name, start]) => {
      const now = tensors[name];
      if (!now) throw new InternalError(`"${name}" has a start but is not trained`);
      return [name, /A(\.weight)?$/.test(name) ? below(now, start) : beside(now, start)];
    }),
  );
}

/** [A; A₀]: [rank, in] twice -> [2 rank, in] */
function below(now: HostTensor, start: HostTensor): HostTensor {
  const [rank = 0, inSize = 0] = now.shape;
  const values = new Float32Array(2 * rank * inSize);
  values.set(float32Of(now));
  values.set(float32Of(start), rank * inSize);
  return float32([2 * rank, inSize], values);
}

/** [B −B₀]: [out, rank] twice -> [out, 2 rank] */
function beside(now: HostTensor, start: HostTensor): HostTensor {
  const [outSize = 0, rank = 0] = now.shape;
  const [left, right] = [float32Of(now), float32Of(start)];
  const values = Float32Array.from({ length: 2 * outSize * rank }, (_, at) => {
    const [row, column] = [Math.floor(at / (2 * rank)), at % (2 * rank)];
    return column < rank ? left[row * rank + column]! : -right[row * rank + column - rank]!;
  });
  return float32([outSize, 2 * rank], values);
}
