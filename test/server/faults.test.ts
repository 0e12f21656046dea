import { test } from 'tap'
import { hangingService } from './helpers/hanging-service.ts'

for (const [kind, event, err, isDraining] of [
  ['rejection', 'unhandledRejection', { message: 'left alone' }, false],
  ['nothing', 'unhandledRejection', undefined, false],
  ['exception', 'uncaughtException', { message: 'left alone' }, false],
  ['exception', 'uncaughtException', { message: 'left alone' }, true],
] as const) {
  test(`an uncaught error (${kind}) ends the process${isDraining ? ' that drains' : ''} with a log, at once`, async t => {
    const { origin, upstream, answers, stop, ended, said } = await hangingService(t, { DRAIN_MS: '60000' })
    const inFlight = fetch(`${origin}/hung`).then(
      () => 'answered',
      () => 'cut',
    )
    await upstream.asked(1)
    void fetch(`${origin}/fault?kind=${kind}`).catch(() => {})
    await upstream.asked(2)
    if (isDraining) {
      stop('SIGTERM')
      await said('draining')
    }
    answers[1]?.()
    t.same(await ended, { code: 1, signal: null })
    t.match(await said('uncaught error'), { level: 60, event, ...(err && { err }) })
    t.equal(await inFlight, 'cut')
  })
}
