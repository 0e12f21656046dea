import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, times } from '../../../src/fanout/aggregate.ts'
import * as families from '../../../src/metrics/families.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { logLines } from '../../helpers/log-lines.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { isExact } from '../../helpers/timing.ts'
import { within } from '../../helpers/until.ts'
import { serve } from './helpers/serve.ts'

/** From the moment the caller leaves to the moment the upstream sees it, in ms. */
const bound = isExact ? 50 : 500
const rounds = 20

test('when the caller of a stream leaves, its calls are aborted and queued calls are not sent', async t => {
  const held = new Set<Socket>()
  const upstream = await rawUpstream(t, socket => held.add(socket))
  const limits = { origin: upstream.origin, concurrency: 3, attemptTimeout: 20_000 }
  const up = defineUpstream('up', limits, { one: operation({ path: '/', output: z.unknown() }) })
  const described = aggregate('held', { url: '/held', deadline: 20_000 })
    .each('each', () => times(10, () => up.one()))
    .reply(z.unknown(), () => 1)
  const runtime = createRuntime()
  const log = logLines<{ readonly msg: string; readonly stream?: string; readonly closedBy?: string }>()
  const { port } = await serve(t, [described], { runtime, logger: { level: 'info', stream: log.stream } })
  const delays: number[] = []
  for (let round = 1; round <= rounds; round++) {
    held.clear()
    const caller = connect(port, '127.0.0.1').on('error', () => {})
    await once(caller, 'connect')
    caller.write('GET /held HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n')
    await once(caller, 'data')
    await upstream.asked(3 * round)
    const closes = [...held].map(async socket => {
      if (!socket.closed) await once(socket, 'close')
      return performance.now()
    })
    const leftAt = performance.now()
    caller.destroy()
    const closed = await within(5000, Promise.all(closes))
    if (closed === undefined) return t.fail(`round ${round}: a connection is open after five seconds`)
    delays.push(Math.max(...closed) - leftAt)
  }
  t.comment(`closed after ${delays.map(delay => delay.toFixed(1)).join(', ')} ms`)
  t.ok(Math.max(...delays) < bound, `within ${bound} ms`)
  t.equal(upstream.requests.length, 3 * rounds, 'no call was sent that had waited')
  t.match(await log.line(({ msg }) => msg.startsWith('connection closed')), { stream: 'ndjson', closedBy: 'caller' })
  t.same(valuesOf(runtime, families.streams), { 'ndjson left': rounds })
  t.match(valuesOf(runtime, families.openStreams), { '': 0 })
})
