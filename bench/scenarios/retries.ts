import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { fanOut } from '../../src/fanout/fan-out.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { bench } from '../lib/bench.ts'
import { startChild } from '../lib/child.ts'
import { formatTable } from '../../src/commands/load/format.ts'
import { readFlags } from '../lib/flags.ts'
import type { DelayUpstreamStats, DelayUpstreamOptions } from '../lib/delay-upstream.ts'
import { openLoop } from '../lib/open-loop.ts'

const help = `Measures how many attempts an upstream that always answers 500 receives for each call. The calls have three attempts, no
breaker and the default retry budget (a fifth of the calls, and ten per second).

Usage: npm run bench:retries -- [options]

  --seconds N  duration of each rate, at least 10, the window of the budget (default 10)
  --help       prints this
`

/** Calls per second, and the maximum number of attempts per call that the upstream may receive. */
const bounds = [
  { perSecond: 200, most: 1.26 },
  { perSecond: 1000, most: 1.21 },
  { perSecond: 2000, most: 1.21 },
]
const fails: DelayUpstreamOptions = { seed: 1, slowRatio: 0, slowMs: 0, fastFromMs: 1, fastToMs: 3, status: 500 }

await bench(async () => {
  const flags = readFlags(help, { seconds: 10 })
  if (flags === undefined) return []
  if (flags.seconds < 10)
    throw new TypeError(`--seconds ${flags.seconds}: must be 10 or more, because the budget is counted over 10 s`)
  const rows: string[][] = []
  const violations: string[] = []
  for (const { perSecond, most } of bounds) {
    const { calls, received } = await amplification(perSecond, flags.seconds)
    rows.push([String(perSecond), String(calls), String(received), (received / calls).toFixed(3), most.toFixed(2)])
    if (received > most * calls)
      violations.push(
        `at ${perSecond} calls per second the upstream received ${(received / calls).toFixed(3)} attempts per call, above ${most}`,
      )
  }
  process.stdout.write(formatTable([['calls/s', 'calls', 'received', 'times', 'at most'], ...rows]))
  return violations
})

async function amplification(perSecond: number, seconds: number) {
  const delayUpstream = await startChild(
    'upstream',
    new URL('../lib/delay-upstream.ts', import.meta.url),
    [JSON.stringify(fails)],
    0,
  )
  const upstream = defineUpstream(
    'failing',
    {
      origin: `http://127.0.0.1:${delayUpstream.port}`,
      concurrency: 256,
      maxQueue: 10_000,
      retry: { maxAttempts: 3 },
      breaker: false,
    },
    {
      get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.object({}) }),
    },
  )
  const one = aggregate('one', { url: '/', query: z.object({ id: z.coerce.number() }) })
    .required('answer', ({ query }) => upstream.get({ id: String(query.id) }))
    .reply(z.object({}), () => ({}))
  const runtime = createRuntime()
  let calls = 0
  try {
    await openLoop({
      perSecond,
      seconds,
      async send(id) {
        calls++
        await fanOut(one, { query: { id } }, { runtime }).catch(() => {})
      },
    })
    const { received } = await delayUpstream.request<DelayUpstreamStats>({ count: true })
    return { calls, received }
  } finally {
    await runtime.close()
    await delayUpstream.stop()
  }
}
