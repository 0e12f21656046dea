// The definitions for `bench/scenarios/workers/main.ts`: the measured aggregate, and an aggregate that returns the pid
// of a worker and its number of runs.
import { z } from 'zod'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { settings } from '../../compare/workload/settings.ts'

const Fact = z.object({ fact: z.string(), length: z.number() })
const upstream = defineUpstream(
  'bench-upstream',
  { origin: 'http://127.0.0.1:9', concurrency: settings.concurrency, maxQueue: settings.maxQueue },
  {
    fact: operation({ path: '/fact', output: Fact }),
  },
)
let runs = 0

export const facts = aggregate('facts', { url: '/', query: z.object({ n: z.coerce.number().int().min(1).max(100) }) })
  .each('facts', ({ query }) => times(query.n, () => upstream.fact()), { concurrency: settings.stepConcurrency })
  .reply(z.object({ facts: z.array(Fact) }), ({ facts: all }) => {
    runs++
    return { facts: all }
  })

export const who = aggregate('who', { url: '/who' }).reply(z.object({ pid: z.number(), runs: z.number() }), () => ({
  pid: process.pid,
  runs,
}))
