const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
const months = [
  ...["January", "February", "March", "April", "May", "June"],
  ...["July", "August", "September", "October", "November", "December"],
] as const;

const two = (value: number): string => String(value).padStart(2, "0");

/** The parts of a date by the letter that C's strftime has for them, in English. */
const parts: Readonly<Record<string, (date: Date) => string>> = {
  a: (date) => (days[date.getDay()] ?? "").slice(0, 3),
  A: (date) => days[date.getDay()] ?? "",
  b: (date) => (months[date.getMonth()] ?? "").slice(0, 3),
  B: (date) => months[date.getMonth()] ?? "",
  d: (date) => two(date.getDate()),
  e: (date) => String(date.getDate()).padStart(2),
  m: (date) => two(date.getMonth() + 1),
  y: (date) => two(date.getFullYear() % 100),
  Y: (date) => String(date.getFullYear()),
  H: (date) => two(date.getHours()),
  I: (date) => two(date.getHours() % 12 || 12),
  M: (date) => two(date.getMinutes()),
  S: (date) => two(date.getSeconds()),
  p: (date) => (date.getHours() < 12 ? "AM" : "PM"),
  j: (date) =>
    String(
      Math.round(
        (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) - Date.UTC(date.getFullYear(), 0, 0)) / 864e5,
      ),
    ).padStart(3, "0"),
  F: (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
  T: (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
  "%": () => "%",
};

/** A date in the form that a template asks for; -d and its kin are without leading zeros, what is not known stays. */
export function strftime(form: string, date: Date): string {
  return form.replace(/%(-?)([A-Za-z%])/g, (whole, bare: string, letter: string) => {
    const part = parts[letter]?.(date);
    if (part === undefined) return whole;
    return bare === "" ? part : part.replace(/^[0 ]+(?=\d)/, "");
  });
}
