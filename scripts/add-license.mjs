// Run by npm before a package is packed, in its folder: the licence stands once in the repository and once in every tarball.
import { copyFileSync } from "node:fs";

copyFileSync(new URL("../LICENSE", import.meta.url), "LICENSE");
