import { version } from "../version.ts";

/** The first file that runs: the version is told before anything else is loaded. */
const [first, ...others] = process.argv.slice(2);
if (first === "--version" && others.length === 0) process.stdout.write(`${version}\n`);
else void import("./main.ts");
