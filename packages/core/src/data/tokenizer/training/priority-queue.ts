/** What comes out first is what stands before everything else that is in. */
interface PriorityQueue<T> {
  push(item: T): void;
  pop(): T | undefined;
}

/** A binary heap: push and pop take O(log n). `isBefore` is a strict order. */
export function priorityQueue<T>(isBefore: (a: T, b: T) => boolean): PriorityQueue<T> {
  const heap: T[] = []; // no child, at 2i + 1 or 2i + 2, stands before its parent, at i
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  };
  const comesFirst = (a: number, b: number) => a < heap.length && isBefore(heap[a]!, heap[b]!);
  return {
    push: (item) => {
      let at = heap.push(item) - 1;
      for (let parent = (at - 1) >> 1; at > 0 && comesFirst(at, parent); parent = (at - 1) >> 1) {
        swap(at, parent);
        at = parent;
      }
    },
    pop: () => {
      if (heap.length === 0) return undefined;
      swap(0, heap.length - 1);
      const first = heap.pop();
      for (let at = 0; ; ) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        const child = comesFirst(right, left) ? right : left;
        if (!comesFirst(child, at)) return first;
        swap(at, child);
        at = child;
      }
    },
  };
}
