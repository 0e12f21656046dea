/** Returns the longest CPU time of a turn of the event loop while the work is done, in ms. */
export async function longestTurnMs(work: () => Promise<unknown>): Promise<number> {
  let ms = 0
  let isOver = false
  let last = process.threadCpuUsage()
  const turn = () => {
    const { user, system } = process.threadCpuUsage(last)
    last = process.threadCpuUsage()
    ms = Math.max(ms, (user + system) / 1000)
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
