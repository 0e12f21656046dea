/** A gate that threads wait at: see `hold` of the offloaded functions. */
export interface Gate {
  readonly cells: Int32Array
  /** Lets everybody through, from now on. */
  readonly open: () => void
  /** Resolves when so many have come to it. */
  readonly came: (count: number) => Promise<void>
}

/** Makes a gate that is shut. */
export function makeGate(): Gate {
  const cells = new Int32Array(new SharedArrayBuffer(8))
  return {
    cells,
    open() {
      Atomics.store(cells, 0, 1)
      Atomics.notify(cells, 0)
    },
    async came(count) {
      for (let now = Atomics.load(cells, 1); now < count; now = Atomics.load(cells, 1))
        await Atomics.waitAsync(cells, 1, now).value
    },
  }
}
