/** What every child of the bench tells its parent: its port once, its CPU time when asked. */
export function announce (port: number) {
  process.on('message', message => {
    if (!isCpuQuestion(message)) return
    const { user, system } = process.cpuUsage()
    process.send?.({ cpuMicros: user + system })
  })
  // A parent that was killed hard cannot stop its children.
  process.on('disconnect', () => process.exit())
  process.send?.({ port })
}

/** The address of the upstream that a target is started with. */
export function upstreamOrigin (): string {
  const origin = process.argv[2]
  if (origin === undefined) throw new Error('a target needs the origin of the upstream as its argument; start it with `node bench/run.ts`')
  return origin
}

function isCpuQuestion (message: unknown) {
  return typeof message === 'object' && message !== null && 'cpu' in message
}
