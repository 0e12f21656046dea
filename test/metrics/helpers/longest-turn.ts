/** Returns the longest CPU time of a turn of the event loop while the work is done, in ms. */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let ms = 0
  let isOver = false
  let last = threadMs()
  const turn = () => {
    const now = threadMs()
    ms = Math.max(ms, now - last)
    last = now
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  // The turn in which the work has ended counts too.
  await new Promise(resolve => {
    setImmediate(resolve)
  })
  isOver = true
  return ms
}

/** The CPU time of this thread, in ms. */
function threadMs(): number {
  // Linux updates the time of a running thread once per tick, and when the time of its process is read.
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
