// Runs the whole command line again and again in one process: for each message { args } an answer { code, stdout, stderr, megabytes }.
// What native code writes by itself goes to the process's own standard error.
// usage: fork("loop.child.mjs", [DIST])
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
const [dist] = process.argv.slice(2);
let runs = 0;
process.on("message", async ({ args }) => {
  const written = { stdout: "", stderr: "" };
  const writers = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ["stdout", "stderr"])
    process[name].write = (text) => {
      written[name] += text;
      return true;
    };
  process.argv = [process.execPath, `${dist}/cli.js`, ...args];
  process.exitCode = undefined;
  await import(`${dist}/cli.js?run=${runs++}`);
  const code = process.exitCode;
  process.exitCode = undefined;
  for (const name of ["stdout", "stderr"]) process[name].write = writers[name];
  process.send({ code, ...written, megabytes: process.resourceUsage().maxRSS / 1e3 });
});
