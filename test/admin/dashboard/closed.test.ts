import { channel } from 'node:diagnostics_channel'
import { test } from 'tap'
import { until } from '../../helpers/until.ts'
import { upstreamRow } from '../../overview/helpers/samples.ts'
import { openReader } from './helpers/open-reader.ts'
import { serveDashboard } from './helpers/served-dashboard.ts'

/** The timers of the process, without those that do not keep it running. */
const timers = () => process.getActiveResourcesInfo().filter(each => each === 'Timeout').length

test('nothing of a dashboard is left when the last reader leaves', async t => {
  const { origin, live, isWatched } = await serveDashboard(t)
  const before = timers()
  t.notOk(channel('headwaters:event').hasSubscribers, 'no subscriber before')
  const first = await openReader(t, origin)
  const second = await openReader(t, origin)
  await first.next('hello')
  await second.next('hello')
  t.notOk(channel('headwaters:event').hasSubscribers, 'a reader does not need the events of runs')
  t.ok(live.isWatched)
  first.close()
  second.close()
  await until(() => !live.isWatched)
  t.same(isWatched, [true, false], 'the service is informed once each time')
  t.notOk(channel('headwaters:event').hasSubscribers)
  await until(() => timers() <= before)
  const events = first.events.length + second.events.length
  live.tick(Date.now(), { upstreams: [upstreamRow('cats', { ok: 1 })], aggregates: [] })
  t.equal(first.events.length + second.events.length, events)
})
