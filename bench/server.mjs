// A process that answers questions, a line each: the peers' servers, and ours.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** The questions of standard input, each answered by one line of JSON. */
export async function serve(answer) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "quit") break;
    console.log(JSON.stringify(await answer(...line.trim().split(" "))));
  }
}

/** @returns {{ ask(question: string): Promise<any>, quit(): void }} */
export function startServer(command, args, env = {}) {
  const server = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  server.stderr.on("data", (text) => {
    said = `${said}${text}`.slice(-2000);
  });
  server.on("error", ({ message }) => {
    said += message;
  });
  server.stdin.on("error", () => undefined); // it has ended: the next question says so, with what it wrote
  const answers = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  return {
    async ask(question) {
      server.stdin.write(`${question}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`${command} ${args.join(" ")} ended at '${question}': ${said}`);
      const answer = JSON.parse(value);
      if (answer.error) throw new Error(`${command} ${args.join(" ")}, '${question}': ${answer.error}`);
      return answer;
    },
    quit: () => server.stdin.end("quit\n"),
  };
}
