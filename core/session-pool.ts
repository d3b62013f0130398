import type { Session } from "./session.ts";

/** Sessions of one model as one, for runs that come several at once: each goes to the session that has the fewest under way. */
export function poolSessions(sessions: readonly Session[]): Session {
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
    async dispose() {
      await Promise.all(sessions.map((session) => session.dispose()));
    },
  };
}
