/** The colours of figures and pages, light and dark. */
export const palette = `:root { color-scheme: light dark; --ink: #1c2430; --quiet: #5a6675; --line: #d5dbe3; --back: #fff; --mark: #0b62b0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #9aa6b5; --line: #38424f; --back: #14181d; --mark: #6db3f2; } }`;

const style = `
body { margin: 0; background: var(--back); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin-top: 2rem; } .quiet { color: var(--quiet); }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; margin-bottom: .5rem; }
figure svg { display: block; width: 100%; max-width: 40rem; min-width: 32rem; height: auto; color: var(--ink); }
.wide { overflow-x: auto; margin: .5rem 0; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
td { max-width: 30rem; } td:first-child { min-width: 9rem; } th { white-space: nowrap; } summary { cursor: pointer; }
pre { overflow-x: auto; padding: .6rem .8rem; border: 1px solid var(--line); font-size: .85rem; }
td.count { text-align: right; padding: .3rem .6rem; background: color-mix(in srgb, var(--mark) calc(var(--share) * 45%), transparent); }
`;

export const plainHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign] ?? "&#39;");

/** A page that needs nothing else, fetches nothing and runs nothing; `body` is HTML. */
export const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${plainHtml(title)}</title>
<style>${palette}${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;

/** A table of texts, which scrolls by itself where the page is narrow. */
export function htmlTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const heads = head.map((cell) => `<th scope="col">${plainHtml(cell)}</th>`).join("");
  const body = rows
    .map((cells) => `<tr>${cells.map((cell) => `<td>${plainHtml(cell)}</td>`).join("")}</tr>`)
    .join("\n");
  return `<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}
