import { setTimeout as pause } from 'node:timers/promises'
import { bench } from '../../lib/bench.ts'
import { startChild } from '../../lib/child.ts'
import type { FaultyCount } from '../faulty-upstream.ts'
import { readFlags } from '../../lib/flags.ts'
import { httpCaller } from '../../lib/http-caller.ts'
import { openLoop } from '../../lib/open-loop.ts'
import type { SoakSample } from './service.ts'
import { violationsOf } from './violations.ts'

const help = `Runs a service at half of its capacity for a long time. Upstreams fail in twenty ways, and callers disconnect. Fails if the
service retains more and more: heap, listeners, sockets, timers or permits.

Usage: npm run soak -- [options]

  --seconds N  duration of the load (default 600)
  --seed N     seed of the faults (default 1)
  --help       prints this
`

/** Share of attempts that fail, by upstream. The share of `broken` is high enough to open its circuit breaker. */
const shares = { steady: 0.03, shaky: 0.2, broken: 0.7 }
const warmUpSeconds = 5
const sampleMs = 1000
/** One in this number of requests is aborted, possibly before its answer arrives. */
const leaves = 10
/** Maximum of the measured request rate, per second. The load is half of it. */
const mostPerSecond = 600
/** Maximum time for all resources to be released after the last caller has left, in ms. */
const settleMs = 20_000

await bench(async () => {
  const flags = readFlags(help, { seconds: 600, seed: 1 })
  if (flags === undefined) return []
  const upstreams = await Promise.all(
    Object.entries(shares).map(([name, share]) =>
      startChild(name, new URL('../faulty-upstream.ts', import.meta.url), [String(share), String(flags.seed)], 0),
    ),
  )
  const service = await startChild(
    'service',
    new URL('./service.ts', import.meta.url),
    upstreams.map(({ port }) => `http://127.0.0.1:${port}`),
    1,
  )
  const look = () => service.request<SoakSample>({ sample: true })
  const before = await look()

  const caller = httpCaller(service.port, '/')
  const perSecond = Math.min(mostPerSecond, await bearable(caller)) / 2
  process.stdout.write(`${perSecond.toFixed(0)} requests per second for ${flags.seconds} s\n`)

  const samples: SoakSample[] = []
  const statuses: Record<string, number> = {}
  const load = async (seconds: number) =>
    openLoop({
      perSecond,
      seconds,
      send: (index, dueAt) => (index % leaves === 0 ? caller.sendAndAbort(index % 40) : caller.send(dueAt)),
    })
  await load(warmUpSeconds)
  const end = new AbortController()
  const watching = watch(look, samples, end.signal)
  await load(flags.seconds)
  end.abort()
  await watching
  for (const { status } of caller.takeCompleted()) statuses[status] = (statuses[status] ?? 0) + 1
  await caller.close()

  const after = await settled(look, before)
  const seen = await Promise.all(
    upstreams.map(async upstream => [upstream.name, await upstream.request<FaultyCount>({ count: true })] as const),
  )
  const counts = seen.map(([name, { received, mostConnections }]) => [name, { received, mostConnections }] as const)
  process.stdout.write(`${JSON.stringify({ statuses, upstreams: Object.fromEntries(counts) })}\n`)
  const { violations, lines } = violationsOf({ before, samples, after, statuses, seen: Object.fromEntries(seen) })
  for (const line of lines) process.stdout.write(`${line}\n`)
  return violations
})

/** Returns the number of requests per second that complete in a closed loop of 16 callers. */
async function bearable(caller: ReturnType<typeof httpCaller>): Promise<number> {
  const until = performance.now() + warmUpSeconds * 1000
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (performance.now() < until) await caller.send(performance.now())
    }),
  )
  return caller.takeCompleted().length / warmUpSeconds
}

async function watch(look: () => Promise<SoakSample>, samples: SoakSample[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    samples.push(await look())
    await pause(sampleMs, undefined, { signal }).catch(() => {})
  }
}

/**
 * Returns the first sample in which all resources of the run have been released, or the last sample after `settleMs`.
 */
async function settled(look: () => Promise<SoakSample>, before: SoakSample): Promise<SoakSample> {
  const until = performance.now() + settleMs
  for (;;) {
    const now = await look()
    const isBack =
      now.held === 0 && Object.entries(now.resources).every(([kind, count]) => count <= (before.resources[kind] ?? 0))
    if (isBack || performance.now() > until) return now
    await pause(250)
  }
}
