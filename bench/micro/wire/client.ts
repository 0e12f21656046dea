// A child process of the wire bench. Runs the variants in turn, one window each, and reports the cost of a call.
import { variants, type Origins, type SendCall } from './variants.ts'

export interface WireJob {
  readonly origins: Origins
  readonly names: readonly string[]
  readonly rounds: number
  readonly ms: number
}

export interface WireWindow {
  readonly name: string
  readonly round: number
  readonly microsPerCall: number
  readonly callsPerSecond: number
  readonly busy: number
}

process.on('disconnect', () => process.exit())
process.on('message', message => {
  const job = message as WireJob
  void run(job).then(windows => process.send?.(windows))
})
process.send?.({ port: 0 })

async function run({ origins, names, rounds, ms }: WireJob): Promise<WireWindow[]> {
  const windows: WireWindow[] = []
  const open = variants.filter(({ name }) => names.includes(name)).map(each => ({ ...each, ...each.open(origins) }))
  for (const { send, concurrency } of open) await drive(send, concurrency, 500)
  for (let round = 0; round < rounds; round++) {
    for (const [index] of open.entries()) {
      const { name, send, concurrency } = open[(index + round) % open.length] as (typeof open)[number]
      await drive(send, concurrency, ms / 5)
      const before = process.cpuUsage()
      const started = performance.now()
      const calls = await drive(send, concurrency, ms)
      const elapsed = performance.now() - started
      const { user, system } = process.cpuUsage(before)
      windows.push({
        name,
        round,
        microsPerCall: (user + system) / calls,
        callsPerSecond: (calls / elapsed) * 1000,
        busy: (user + system) / 1000 / elapsed,
      })
    }
  }
  await Promise.all(open.map(({ close }) => close()))
  return windows
}

/** Keeps `concurrency` calls in flight for `ms`. Resolves with the number of calls when the last call has ended. */
function drive(send: SendCall, concurrency: number, ms: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const until = performance.now() + ms
    let calls = 0
    let inFlight = 0
    const next = () => {
      inFlight++
      send(error => {
        inFlight--
        if (error !== undefined) return reject(error)
        calls++
        if (performance.now() < until) next()
        else if (inFlight === 0) resolve(calls)
      })
    }
    for (let started = 0; started < concurrency; started++) next()
  })
}
