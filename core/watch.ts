/** Reads something every so many milliseconds, and once at the end, until the work is done. @throws what the work throws */
export async function* watch<T>(work: Promise<unknown>, read: () => T, milliseconds = 200): AsyncGenerator<T, void, undefined> {
  let ended = false;
  const end = work.then(
    () => {
      ended = true;
    },
    () => {
      ended = true; // thrown below
    },
  );
  while (!ended) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wait = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    await Promise.race([end, wait]);
    clearTimeout(timer);
    yield read();
  }
  await work;
}
