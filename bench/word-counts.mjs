// A reader of words alone: which words and pairs of neighbours a text has, and logistic regression on them.

/** Lower-case words, with their apostrophes. */
export const wordsOf = (text) => text.toLowerCase().match(/[a-z0-9']+/g) ?? [];

/** Words, and neighbouring words joined by a space. */
function termsOf(text) {
  const words = wordsOf(text);
  return [...words, ...words.slice(1).map((word, index) => `${words[index]} ${word}`)];
}

function counts(text) {
  const found = new Map();
  for (const term of termsOf(text)) found.set(term, (found.get(term) ?? 0) + 1);
  return found;
}

/**
 * How texts become sparse rows `{ columns, values }` of length 1, learnt from `texts`, as scikit-learn's TfidfVectorizer
 * makes them. `tf-idf`: count · (1 + ln((1 + n) / (1 + texts with the term))); `tf`: the counts alone.
 */
export function learnFeatures(texts, kind) {
  const seenIn = new Map();
  for (const text of texts) for (const term of counts(text).keys()) seenIn.set(term, (seenIn.get(term) ?? 0) + 1);
  const columnOf = new Map([...seenIn.keys()].map((term, column) => [term, column]));
  const weigh = (term) => (kind === "tf" ? 1 : 1 + Math.log((1 + texts.length) / (1 + seenIn.get(term))));
  const rowOf = (text) => {
    const known = [...counts(text)].filter(([term]) => columnOf.has(term));
    const values = Float64Array.from(known, ([term, count]) => count * weigh(term));
    const length = Math.hypot(...values) || 1;
    const columns = Int32Array.from(known, ([term]) => columnOf.get(term));
    return { columns, values: values.map((value) => value / length) };
  };
  return { width: columnOf.size, rowOf };
}

/**
 * Multinomial logistic regression: minimizes mean cross-entropy + |W|² / (2 C n); the biases are free, as in scikit-learn.
 * Rows have length 1. Nesterov's accelerated gradient, restarted where it overshoots; no random numbers.
 * @returns the class of a row
 */
export function learnClassifier(rows, labels, { width, classes, C }) {
  const size = (width + 1) * classes; // W[column][class], the biases last
  const decay = 1 / (C * rows.length);
  const rate = 1 / (1 + decay); // a row's squared length is 2 with its bias, and the softmax's curvature at most 1 / 2
  const weights = new Float64Array(size);
  const ahead = new Float64Array(size);
  const gradient = new Float64Array(size);
  let pace = 1;
  for (let step = 0, largest = 1; step < 3000 && largest > 1e-5; step++) {
    slope(gradient, ahead, rows, labels, { width, classes, decay });
    let forwards = 0;
    for (let i = 0; i < size; i++) forwards += gradient[i] * (ahead[i] - rate * gradient[i] - weights[i]);
    const faster = forwards > 0 ? 1 : (1 + Math.sqrt(1 + 4 * pace * pace)) / 2;
    const push = forwards > 0 ? 0 : (pace - 1) / faster;
    largest = 0;
    for (let i = 0; i < size; i++) {
      const next = ahead[i] - rate * gradient[i];
      ahead[i] = next + push * (next - weights[i]);
      weights[i] = next;
      largest = Math.max(largest, Math.abs(gradient[i]));
    }
    pace = faster;
  }
  return (row) => {
    const scores = scoresOf(weights, row, width, classes);
    return scores.indexOf(Math.max(...scores));
  };
}

function scoresOf(weights, { columns, values }, width, classes) {
  const scores = weights.slice(width * classes);
  for (let k = 0; k < columns.length; k++)
    for (let c = 0; c < classes; c++) scores[c] += values[k] * weights[columns[k] * classes + c];
  return scores;
}

function slope(gradient, weights, rows, labels, { width, classes, decay }) {
  const biases = width * classes;
  for (let i = 0; i < biases; i++) gradient[i] = decay * weights[i];
  gradient.fill(0, biases);
  for (let r = 0; r < rows.length; r++) {
    const { columns, values } = rows[r];
    const scores = scoresOf(weights, rows[r], width, classes);
    const top = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - top));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let c = 0; c < classes; c++) {
      const error = (powers[c] / total - (labels[r] === c ? 1 : 0)) / rows.length;
      for (let k = 0; k < columns.length; k++) gradient[columns[k] * classes + c] += error * values[k];
      gradient[biases + c] += error;
    }
  }
}
