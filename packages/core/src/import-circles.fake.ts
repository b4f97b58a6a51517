/** Circles among files that lead to one another: each as its files in order, the first once more at the end. */
export function importCircles(
  begins: readonly string[],
  next: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
    if (done.has(file) || path.includes(file)) return;
    for (const other of next.get(file) ?? []) visit(other, [...path, file]);
    done.add(file);
  };
  for (const file of begins) visit(file, []);
  return circles;
}
