import { test } from 'tap'
import { workersService } from './helpers/workers-service.ts'

test('workers that spin, or wait in their loop for ever, are killed and replaced', async t => {
  const { ask, said, saidTimes, upstream, answers } = await workersService(t, {
    environment: { WORKER_HEARTBEAT_MS: '3000' },
  })
  const lost = [ask('/spin'), ask('/stuck')].map(each =>
    each.then(
      () => 'answered',
      () => 'closed',
    ),
  )
  await upstream.asked(1)
  answers[0]?.()
  t.same(await Promise.all(lost), ['closed', 'closed'])
  t.match(await said('worker exited unexpectedly'), { signal: 'SIGKILL' })
  await saidTimes('listening', 4)
  t.equal((await ask('/who')).status, 200)
})
