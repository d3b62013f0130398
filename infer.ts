#!/usr/bin/env node
// `infer …` is `fivecrop infer …`.
process.argv.splice(2, 0, "infer");
await import("./cli.ts");

export {};
