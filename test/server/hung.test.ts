import { test } from 'tap'
import { hangingService } from './helpers/hanging-service.ts'

/** Well below the minute that the runs may take. */
const prompt = 10_000

for (const flags of [[], ['--watch']]) {
  test(`${['serve', ...flags].join(' ')}: an upstream that hangs does not hold the end, and its callers hear why`, async t => {
    const { origin, upstream, stop, ended, errors, said } = await hangingService(t, { DRAIN_MS: '100' }, ...flags)
    const inFlight = fetch(`${origin}/hung`)
    await upstream.asked(1)
    const before = performance.now()
    stop('SIGTERM')
    const response = await inFlight
    t.equal(response.status, 503)
    t.match(await response.json(), { code: 'RUNTIME_CLOSED', sources: { it: { state: 'failed' } } })
    t.same(await ended, { code: 0, signal: null })
    t.ok(performance.now() - before < prompt)
    await upstream.deserted()
    await said('draining')
    t.equal(await errors, '')
  })
}

for (const [first, second, ...flags] of [
  ['SIGTERM', 'SIGTERM'],
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
  ['SIGTERM', 'SIGTERM', '--watch'],
  ['SIGINT', 'SIGINT', '--watch'],
] as const) {
  test(`${['serve', ...flags].join(' ')}: ${second} after ${first} ends the process at once`, async t => {
    const { origin, upstream, stop, ended, said } = await hangingService(t, { DRAIN_MS: '60000' }, ...flags)
    const inFlight = fetch(`${origin}/hung`).then(
      () => 'answered',
      () => 'cut',
    )
    await upstream.asked(1)
    stop(first)
    await said('draining')
    stop(second)
    t.same(await ended, { code: 1, signal: null })
    t.match(await said('second signal'), { signal: second })
    t.equal(await inFlight, 'cut')
  })
}
