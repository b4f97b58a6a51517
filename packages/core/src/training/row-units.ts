import { InternalError } from "../errors.ts";
import type { JoinedInput } from "../graph/joined-products.ts";
import { lengthOf, type Placed } from "../peft/phi.ts";

/** What a graph reads under one name of the numbers of several rows: a tensor, or several that lie one behind the other in each row. */
export interface RowUnit {
  readonly name: string;
  /** of one row */
  readonly shape: readonly number[];
  /** where the first row begins */
  readonly start: number;
  readonly members: readonly Placed[];
}

/**
 * How the numbers of so many rows lie: one unit behind the other, each row by row.
 * @param inputs that take the place of several tensors of one shape but for its first axis
 */
export function rowUnits(layout: readonly Placed[], inputs: readonly JoinedInput[], rows: number): readonly RowUnit[] {
  const byName = new Map(layout.map((placed) => [placed.name, placed]));
  const several = inputs.map(({ name, of }) => ({ name, members: of.flatMap((each) => byName.get(each) ?? []) }));
  const taken = new Set(several.flatMap(({ members }) => members));
  const others = layout.filter((placed) => !taken.has(placed));
  let next = 0;
  return [...several, ...others.map((placed) => ({ name: placed.name, members: [placed] }))].map((unit) => {
    const start = next;
    next += rows * lengthOf(unit.members);
    return { ...unit, start, shape: joinedShape(unit.members) };
  });
}

function joinedShape(members: readonly Placed[]): readonly number[] {
  const [shape = [], ...others] = members.map((placed) => placed.shape);
  const [length, ...inner] = shape;
  return length === undefined ? [] : [others.reduce((sum, [more = 1]) => sum + more, length), ...inner];
}

/** Where a tensor of a row begins. */
export function startsIn(units: readonly RowUnit[]): (tensor: Placed, row: number) => number {
  const places = new Map<Placed, { readonly first: number; readonly step: number }>();
  for (const { members, start } of units) {
    let first = start;
    for (const placed of members) {
      places.set(placed, { first, step: lengthOf(members) });
      first += placed.size;
    }
  }
  return (tensor, row) => {
    const place = places.get(tensor);
    if (!place) throw new InternalError(`"${tensor.name}" has no place in the rows`);
    return place.first + row * place.step;
  };
}
