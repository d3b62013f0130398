import type { Session } from "./session.ts";

/**
 * Several sessions of one model as one, for runs that come several at once: each goes to the session that has the fewest under way.
 * @throws what `make` throws, after the sessions that were made are disposed of
 */
export async function poolSessions(count: number, make: () => Promise<Session>): Promise<Session> {
  const made = await Promise.allSettled(Array.from({ length: count }, make));
  const sessions = made.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const dispose = async (): Promise<void> => void (await Promise.all(sessions.map((session) => session.dispose())));
  const failed = made.find((result) => result.status === "rejected");
  if (failed) {
    await dispose();
    throw failed.reason;
  }
  const [{ inputs, outputs }] = sessions;
  const under = sessions.map(() => 0);
  return {
    inputs,
    outputs,
    async run(feeds, fetches) {
      const place = under.indexOf(Math.min(...under));
      under[place]++;
      try {
        return await sessions[place].run(feeds, fetches);
      } finally {
        under[place]--;
      }
    },
    dispose,
  };
}
