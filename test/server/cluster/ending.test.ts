import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { workersService } from './helpers/workers-service.ts'

for (const [signal, isGroup] of [
  ['SIGTERM', false],
  ['SIGINT', false],
  ['SIGINT', true],
  ['SIGTERM', true],
] as const) {
  test(`${signal}${isGroup ? ' to all processes' : ''} lets the requests in flight of all workers end, and exits with 0`, async t => {
    const { ask, saidTimes, upstream, answers, stop, ended, errors, port } = await workersService(t, { isGroup })
    const inFlight = [ask('/hung'), ask('/hung')]
    await upstream.asked(2)
    stop(signal)
    t.same(
      new Set((await saidTimes('draining', 3)).map(({ worker }) => worker ?? 'primary')),
      new Set(['primary', 1, 2]),
    )
    for (const answer of answers) answer()
    for (const { status, connection } of await Promise.all(inFlight)) t.same([status, connection], [200, 'close'])
    t.same(await ended, { code: 0, signal: null })
    t.equal(await errors, '')
    const [error] = await once(connect(port, '127.0.0.1'), 'error')
    t.equal(error.code, 'ECONNREFUSED')
  })
}

test('requests in flight at the drain timeout are aborted, and their callers receive the reason', async t => {
  const { ask, upstream, stop, ended } = await workersService(t, { environment: { DRAIN_MS: '100' } })
  const inFlight = [ask('/hung'), ask('/hung')]
  await upstream.asked(2)
  stop('SIGTERM')
  for (const { status, body } of await Promise.all(inFlight)) t.same([status, body.code], [503, 'RUNTIME_CLOSED'])
  t.same(await ended, { code: 0, signal: null })
})

test('a second signal ends all of them at once', async t => {
  const { ask, said, saidTimes, upstream, stop, ended } = await workersService(t, {
    isGroup: true,
    environment: { DRAIN_MS: '60000' },
  })
  const inFlight = [ask('/hung'), ask('/hung')].map(each =>
    each.then(
      () => 'answered',
      () => 'cut',
    ),
  )
  await upstream.asked(2)
  stop('SIGINT')
  await saidTimes('draining', 3)
  stop('SIGINT')
  // Their output is closed when the last of them has ended.
  t.same(await ended, { code: 1, signal: null })
  t.match(await said('second signal'), { signal: 'SIGINT' })
  t.same(await Promise.all(inFlight), ['cut', 'cut'])
})

test('when the primary is gone the workers end with the requests they have', async t => {
  const { ask, saidTimes, upstream, answers, stop, ended } = await workersService(t)
  const inFlight = [ask('/hung'), ask('/hung')]
  await upstream.asked(2)
  stop('SIGKILL')
  await saidTimes('draining', 2)
  for (const answer of answers) answer()
  for (const { status } of await Promise.all(inFlight)) t.equal(status, 200)
  t.same(await ended, { code: null, signal: 'SIGKILL' })
})
