import type { AddressInfo } from 'node:net'
import { disablePretenuring } from '../../../src/server/disable-pretenuring.ts'
import { buildApp } from '../../../src/app.ts'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { announce, upstreamOrigin } from '../../lib/announce.ts'
import { Fact, Facts, Query } from '../workload/fact.ts'
import { settings } from '../workload/settings.ts'

// `headwaters serve` also disables pretenuring.
disablePretenuring()

// The second argument is the number of concurrent calls on one connection.
const pipelining = Number(process.argv[3] ?? 1)
const upstream = defineUpstream(
  'bench-upstream',
  {
    origin: upstreamOrigin(),
    concurrency: settings.concurrency,
    maxQueue: settings.maxQueue,
    ...(pipelining > 1 && { pipelining }),
  },
  {
    fact: operation({ path: '/fact', output: Fact }),
  },
)

const bench = aggregate('bench', { url: '/', query: Query, deadline: settings.deadlineMs })
  .each('facts', ({ query }) => times(query.n, () => upstream.fact()), { concurrency: settings.stepConcurrency })
  .reply(Facts, ({ facts }) => ({ facts }))

const app = buildApp([bench])
await app.listen({ port: 0, host: '127.0.0.1' })
announce((app.server.address() as AddressInfo).port)
