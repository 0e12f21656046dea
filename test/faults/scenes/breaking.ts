import type { Test } from 'tap'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { elapsed } from '../../helpers/until.ts'

const open = 300

/** An upstream that closes every connection for several windows of its breaker, under constant calls. */
export async function downForLong(t: Test): Promise<void> {
  let isWell = false
  const upstream = await rawUpstream(t, well, undefined, socket => {
    if (!isWell) socket.destroy()
  })
  const weak = defineUpstream(
    'weak',
    { origin: upstream.origin, breaker: { minimumCalls: 10, openDuration: open, maxOpenDuration: open } },
    { word: operation(wordPath) },
  )
  const required = aggregate('required', { url: '/required', query: Id })
    .required('part', ({ query }) => weak.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { get, runtime } = await stage(t, [required])
  const ask = () => get<Reply>('/required?id=a')

  for (let calls = 0; runtime.stats()['weak']?.breaker !== 'open'; calls++) {
    if (calls > 10) return void t.fail('ten calls that fail do not open it')
    t.match(await ask(), { status: 502, body: { code: 'UPSTREAM_UNREACHABLE' } })
  }

  const before = upstream.connections
  const since = performance.now()
  const tookMs: number[] = []
  let calls = 0
  while (performance.now() - since < 4 * open) {
    const { status, headers, body } = await ask()
    calls++
    if (body.code === 'UPSTREAM_UNREACHABLE') continue
    if (status !== 503 || body.code !== 'BREAKER_OPEN' || headers.get('retry-after') !== '1')
      t.fail(`${status} ${body.code} ${headers.get('retry-after')}`)
    tookMs.push(body.sources['part']?.ms ?? NaN)
  }
  // Up to a fifth of each open time is random.
  const windows = (performance.now() - since) / (0.8 * open)
  const probes = upstream.connections - before
  t.ok(probes >= 1 && probes <= Math.ceil(windows), `${probes} probes in ${windows.toFixed(1)} windows`)
  t.ok(calls - tookMs.length <= probes, `${tookMs.length} of ${calls} were refused: all that were no probe`)
  tookMs.sort((a, b) => a - b)
  const median = tookMs[Math.floor(tookMs.length / 2)] as number
  t.ok(median < 1, `in ${median} ms`)

  isWell = true
  await elapsed(open)
  for (let stage = 0; stage < 5; stage++) {
    t.match(await ask(), { status: 200, body: { data: { word: 'a' } } })
    await elapsed(open / 10)
  }
  t.match(runtime.stats(), { weak: { breaker: 'closed', active: 0, queued: 0 } })
}
