// Runs the bundled command line with the arguments given, and keeps beside its files what V8 has made of them (bin/bundle.js).
import { runBundle } from "../packages/petl/bin/bundle.js";

process.on("exit", runBundle("cli/start"));
